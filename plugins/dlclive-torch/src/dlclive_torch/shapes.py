"""A cache of costly objects by input shape."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

_REMEMBERED = 256
"""How many shapes used once are remembered; beyond that, the oldest are forgotten."""


class ShapeCache(Generic[Entry]):
    """Caches a few costly objects, one per shape.

    An entry is created at the second use of a shape, because some shapes occur only once, such as crops that follow an animal
    to the border. When the cache is full, the least recently used entry is evicted, but only if it has been unused for some
    calls: otherwise alternating shapes would be rebuilt over and over. Used by one thread at a time.

    Args:
        kept: maximum number of entries.
        patience: number of calls after which an unused entry may be evicted.
    """

    def __init__(self, kept: int = 8, patience: int = 200) -> None:
        self._capacity, self._patience = kept, patience
        self._entries: OrderedDict[Hashable, tuple[Entry, int]] = OrderedDict()
        self._used_once: OrderedDict[Hashable, None] = OrderedDict()
        self._calls = 0

    def find(self, shape: Hashable, make: Callable[[], Entry]) -> Entry | None:
        """Return the entry of this shape, created if necessary and possible; None if the shape has no entry."""
        self._calls += 1
        if shape in self._entries:
            entry = self._entries.pop(shape)[0]
        elif shape not in self._used_once:
            self._used_once[shape] = None
            if len(self._used_once) > _REMEMBERED:
                self._used_once.popitem(last=False)
            return None
        elif not self._make_room():
            return None
        else:
            entry = make()
        self._entries[shape] = entry, self._calls
        return entry

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
        self._used_once.clear()

    def _make_room(self) -> bool:
        if len(self._entries) < self._capacity:
            return True
        oldest, (_, last_call) = next(iter(self._entries.items()))
        if self._calls - last_call <= self._patience:
            return False
        del self._entries[oldest]  # frees its memory before the next entry is created
        return True
