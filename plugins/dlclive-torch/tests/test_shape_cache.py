"""Which shapes get something of their own, and which make room."""

from __future__ import annotations

import pytest
from dlclive_torch.shapes import ShapeCache


class Making:
    """Counts what was made."""

    def __init__(self, cache: ShapeCache[str]) -> None:
        self.cache, self.made = cache, []

    def __call__(self, shape: str) -> str | None:
        return self.cache.find(shape, lambda: self.made.append(shape) or shape)


def test_made_when_a_shape_comes_again_and_then_kept() -> None:
    find = Making(ShapeCache())
    assert [find("a"), find("b"), find("a"), find("a"), find("b")] == [None, None, "a", "a", "b"]
    assert find.made == ["a", "b"]


def test_shapes_that_take_turns_are_not_made_again_and_again() -> None:
    find = Making(ShapeCache(kept=2, patience=10))
    for _ in range(20):
        found = [find(shape) for shape in "abc"]
    assert found == ["a", "b", None]
    assert find.made == ["a", "b"]


def test_one_that_nobody_asked_for_makes_room_the_longest_unused_first() -> None:
    find = Making(ShapeCache(kept=2, patience=10))
    for shape in "aabb":
        find(shape)
    for _ in range(12):
        find("a")
    assert find("c") is None
    assert find("c") == "c"
    assert find("a") == "a"
    assert find.made == ["a", "b", "c"]
    assert find("b") is None  # it has no room now, and is not forgotten
    for _ in range(12):
        find("a")
    assert find("b") == "b"


def test_what_makes_room_is_let_go_before_the_next_is_made() -> None:
    cache: ShapeCache[str] = ShapeCache(kept=1, patience=0)
    for _ in range(2):
        cache.find("a", lambda: "a")
    cache.find("b", lambda: "b")
    there: list[bool] = []
    cache.find("b", lambda: there.append("a" in cache._entries) or "b")
    assert there == [False]


def test_a_shape_whose_making_fails_is_tried_again() -> None:
    cache: ShapeCache[str] = ShapeCache()
    cache.find("a", lambda: "a")
    with pytest.raises(ZeroDivisionError):
        cache.find("a", lambda: 1 / 0)
    assert cache.find("a", lambda: "a") == "a"


def test_clear_lets_go_of_all() -> None:
    find = Making(ShapeCache())
    for shape in "aa":
        find(shape)
    find.cache.clear()
    assert find("a") is None


def test_shapes_that_come_once_are_forgotten_at_last() -> None:
    cache: ShapeCache[int] = ShapeCache()
    for shape in range(1000):
        cache.find(shape, lambda: 0)
    assert len(cache._used_once) == 256
