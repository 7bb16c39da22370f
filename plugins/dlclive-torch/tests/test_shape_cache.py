"""When the cache creates and evicts entries."""

from __future__ import annotations

import pytest
from dlclive_torch.shapes import ShapeCache


class CountedCache:
    """Records the created entries."""

    def __init__(self, cache: ShapeCache[str]) -> None:
        self.cache, self.created = cache, []

    def __call__(self, shape: str) -> str | None:
        return self.cache.find(shape, lambda: self.created.append(shape) or shape)


def test_an_entry_is_created_at_the_second_use_and_kept() -> None:
    find = CountedCache(ShapeCache())
    assert [find("a"), find("b"), find("a"), find("a"), find("b")] == [None, None, "a", "a", "b"]
    assert find.created == ["a", "b"]


def test_alternating_shapes_do_not_evict_each_other() -> None:
    find = CountedCache(ShapeCache(kept=2, patience=10))
    for _ in range(20):
        entries = [find(shape) for shape in "abc"]
    assert entries == ["a", "b", None]
    assert find.created == ["a", "b"]


def test_the_least_recently_used_entry_is_evicted() -> None:
    find = CountedCache(ShapeCache(kept=2, patience=10))
    for shape in "aabb":
        find(shape)
    for _ in range(12):
        find("a")
    assert find("c") is None
    assert find("c") == "c"
    assert find("a") == "a"
    assert find.created == ["a", "b", "c"]
    assert find("b") is None  # the cache is full, but the shape is remembered
    for _ in range(12):
        find("a")
    assert find("b") == "b"


def test_an_entry_is_evicted_before_the_next_is_created() -> None:
    cache: ShapeCache[str] = ShapeCache(kept=1, patience=0)
    for _ in range(2):
        cache.find("a", lambda: "a")
    cache.find("b", lambda: "b")
    evicted: list[bool] = []
    cache.find("b", lambda: evicted.append("a" in cache._entries) or "b")
    assert evicted == [False]


def test_a_failed_creation_is_retried() -> None:
    cache: ShapeCache[str] = ShapeCache()
    cache.find("a", lambda: "a")
    with pytest.raises(ZeroDivisionError):
        cache.find("a", lambda: 1 / 0)
    assert cache.find("a", lambda: "a") == "a"


def test_clear_removes_all_entries() -> None:
    find = CountedCache(ShapeCache())
    for shape in "aa":
        find(shape)
    find.cache.clear()
    assert find("a") is None


def test_the_number_of_remembered_shapes_is_limited() -> None:
    cache: ShapeCache[int] = ShapeCache()
    for shape in range(1000):
        cache.find(shape, lambda: 0)
    assert len(cache._used_once) == 256
