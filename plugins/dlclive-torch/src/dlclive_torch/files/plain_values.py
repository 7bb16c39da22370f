"""What was in a pickle as plain dicts, lists and values: a tree of bounded size."""

from __future__ import annotations

from typing import Any

DEEPEST = 64
"""Levels of containers inside each other."""

MOST_VALUES = 500_000
"""Values, where a container that is referred to twice counts twice. A network with its optimiser has about 20 000."""


class TooLargeError(ValueError):
    """A structure that no model file has."""


def plain_values(value: Any) -> Any:
    """Mappings of any kind as dict, and tuples and lists as they are, each made once however often it is referred to.

    Mappings from a pickle may carry attributes that hide their methods. A structure of a thousand bytes can be endless, by a
    container that holds itself, or have more values than there are atoms, by lists that hold the same list twice.

    Raises:
        TooLargeError: it is deeper or has more values than any model.
    """
    return _Tree().plain(value, 0)[0]


class _Tree:
    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()

    def plain(self, value: Any, depth: int) -> tuple[Any, int]:
        """The value, and of how many it consists."""
        if not isinstance(value, dict | list | tuple):
            return value, 1
        key = id(value)
        if key in self._open:
            raise TooLargeError("a container in it holds itself")
        if depth >= DEEPEST:
            raise TooLargeError(f"containers in it are more than {DEEPEST} levels deep")
        if key not in self._made:
            self._open.add(key)
            self._made[key] = self._container(value, depth)
            self._open.remove(key)
        return self._made[key]

    def _container(self, value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> tuple[Any, int]:
        size = 1
        items = []
        for item in dict.values(value) if isinstance(value, dict) else value:
            made, count = self.plain(item, depth + 1)
            items.append(made)
            size += count
            if size > MOST_VALUES:
                raise TooLargeError(f"it has more than {MOST_VALUES} values")
        if isinstance(value, dict):
            return dict(zip(dict.keys(value), items, strict=True)), size
        return (tuple(items) if isinstance(value, tuple) else items), size
