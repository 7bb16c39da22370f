"""What is made once for each shape of the input, and kept for the shapes that come again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")

_REMEMBERED = 256
"""Shapes that came once and are remembered; of more than that, the first are forgotten."""


class ShapeCache(Generic[Made]):
    """Keeps a few costly things, one for each shape.

    A shape gets its own when it comes for the second time, because some come only once, such as crops that follow an animal
    to the border. When as many as can be kept are there, the one that was not asked for the longest makes room, but only
    after some calls without it: shapes that take turns would otherwise be made again and again. Used by one thread at a time.

    Args:
        kept: how many things.
        patience: calls after which an entry that was not used may be replaced.
    """

    def __init__(self, kept: int = 8, patience: int = 200) -> None:
        self._kept, self._patience = kept, patience
        self._made: OrderedDict[Hashable, tuple[Made, int]] = OrderedDict()
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._calls = 0

    def find(self, shape: Hashable, make: Callable[[], Made]) -> Made | None:
        """What belongs to this shape, made now if it is its turn; None: do without."""
        self._calls += 1
        if shape in self._made:
            made = self._made.pop(shape)[0]
        elif shape not in self._seen:
            self._seen[shape] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return None
        elif not self._make_room():
            return None
        else:
            made = make()
        self._made[shape] = made, self._calls
        return made

    def clear(self) -> None:
        """Let go of everything."""
        self._made.clear()
        self._seen.clear()

    def _make_room(self) -> bool:
        if len(self._made) < self._kept:
            return True
        oldest, (_, called) = next(iter(self._made.items()))
        if self._calls - called <= self._patience:
            return False
        del self._made[oldest]  # before the next one is made: its memory is free by then
        return True
