"""Queues between two threads: lossless, newest only, or dropping when full."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(ABC, Generic[T]):
    """A queue from one thread to another. After `end`, `take` returns the remaining items and then None.

    Args:
        changed: notified of every change; shared by the handoffs that one thread takes from.

    Attributes:
        dropped: items dropped because they were not taken in time.
        left: items that arrived after the end, or were still waiting at the end.
    """

    def __init__(self, changed: threading.Condition | None = None) -> None:
        self._changed = changed or threading.Condition()
        self._waiting: deque[T] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self.dropped = 0
        self.left = 0

    @abstractmethod
    def put(self, item: T) -> bool:
        """Pass an item to the other thread; False after the end. Lost items are counted."""

    @property
    def is_over(self) -> bool:
        """The handoff was ended and is empty."""
        with self._changed:
            return self._ended and not self._waiting

    @property
    def error(self) -> BaseException | None:
        """The error that ended the handoff; None at a normal end."""
        return self._error

    def end(self, error: BaseException | None = None) -> None:
        """Announce that no more items will come, with the error if there was one. Either thread may call it."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def poll(self, count: int = 1) -> list[T]:
        """Take `count` items: none until that many are waiting, fewer only after the end. Does not wait."""
        with self._changed:
            if not self._waiting or (len(self._waiting) < count and not self._ended):
                return []
            items = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
            self._changed.notify_all()
            return items

    def take(self) -> T | None:
        """Wait for the next item; None after the last. Raises the error passed to `end`, after all items before it."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if not self._waiting and self._error is not None:
                raise self._error
            return next(iter(self.poll()), None)

    def drain(self) -> None:
        """Discard and count the items still waiting."""
        with self._changed:
            self.left += len(self._waiting)
            self._waiting.clear()

    def _add(self, item: T) -> bool:
        """Append the item; the caller holds the lock."""
        if self._ended:
            self.left += 1
            return False
        self._waiting.append(item)
        self._changed.notify_all()
        return True


class LosslessQueue(Handoff[T]):
    """For recordings: `put` blocks while `capacity` items are waiting, so nothing is lost and memory is bounded."""

    def __init__(self, capacity: int, changed: threading.Condition | None = None) -> None:
        super().__init__(changed)
        self._capacity = capacity

    def put(self, item: T) -> bool:
        with self._changed:
            while len(self._waiting) >= self._capacity and not self._ended:
                self._changed.wait()
            return self._add(item)


class LatestSlot(Handoff[T]):
    """For live sources: a single slot; a newer item overwrites an older one that was not taken in time."""

    def put(self, item: T) -> bool:
        with self._changed:
            if self._waiting and not self._ended:
                self._waiting.clear()
                self.dropped += 1
            return self._add(item)


class DroppingQueue(Handoff[T]):
    """For the sinks of live sources: `put` never blocks; when the queue is full, the new item is dropped.

    Args:
        room: the capacity, or a function that returns the capacity for items of this size.
    """

    def __init__(self, room: int | Callable[[T], int], changed: threading.Condition | None = None) -> None:
        super().__init__(changed)
        self._room = room

    def put(self, item: T) -> bool:
        room = self._room if isinstance(self._room, int) else self._room(item)
        with self._changed:
            if len(self._waiting) >= room and not self._ended:
                self.dropped += 1
                return True
            return self._add(item)
