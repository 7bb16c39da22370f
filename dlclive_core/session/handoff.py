"""How things pass from one thread to another: all of them, the newest, or as many as there is room for."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(ABC, Generic[T]):
    """One thread puts, one thread takes. After `end`, `take` gives what is left and then None.

    Args:
        changed: notified of every change; several handoffs that one thread takes from share it.

    Attributes:
        dropped: how many were dropped because they were not taken in time.
        left: how many arrived after the end, or were still waiting at the end.
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
        """Give something to the other thread; False when it will take nothing any more. What is lost is counted."""

    @property
    def is_over(self) -> bool:
        """Nothing is waiting, and nothing will come."""
        with self._changed:
            return self._ended and not self._waiting

    @property
    def error(self) -> BaseException | None:
        """Why nothing comes any more, if it is not the end of the file."""
        return self._error

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more comes, and why if it is not the end of the file. May be called by either side."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def poll(self, count: int = 1) -> list[T]:
        """The next ones, as many as asked for: none until so many are there, fewer only at the end. Does not wait."""
        with self._changed:
            if not self._waiting or (len(self._waiting) < count and not self._ended):
                return []
            items = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
            self._changed.notify_all()
            return items

    def take(self) -> T | None:
        """The next one, None after the last; raises the error that `end` was given, after all before it."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if not self._waiting and self._error is not None:
                raise self._error
            return next(iter(self.poll()), None)

    def drain(self) -> None:
        """Discard and count what is still waiting."""
        with self._changed:
            self.left += len(self._waiting)
            self._waiting.clear()

    def _add(self, item: T) -> bool:
        """With the lock held."""
        if self._ended:
            self.left += 1
            return False
        self._waiting.append(item)
        self._changed.notify_all()
        return True


class LosslessQueue(Handoff[T]):
    """For recordings: `put` waits while `capacity` are waiting, so none is lost and memory is bounded."""

    def __init__(self, capacity: int, changed: threading.Condition | None = None) -> None:
        super().__init__(changed)
        self._capacity = capacity

    def put(self, item: T) -> bool:
        with self._changed:
            while len(self._waiting) >= self._capacity and not self._ended:
                self._changed.wait()
            return self._add(item)


class LatestSlot(Handoff[T]):
    """For live sources: one slot; a newer item overwrites one that was not taken in time."""

    def put(self, item: T) -> bool:
        with self._changed:
            if self._waiting and not self._ended:
                self._waiting.clear()
                self.dropped += 1
            return self._add(item)


class DroppingQueue(Handoff[T]):
    """For the sinks of live sources: `put` never waits; when there is no room for the new one, it is dropped.

    Args:
        room: how many may wait: a number, or a function that says it for an item as large as this one.
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
