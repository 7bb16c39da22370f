"""Worker threads for the loops of a run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL = 0.1  # seconds: how often a waiting main thread checks for signals, on systems where they do not wake it


class LoopThreads(Generic[T]):
    """One thread per item; a single item runs in the caller's thread.

    A runtime may keep state per thread, so each item always runs in the same thread. The threads are daemons: one that
    hangs does not keep the process alive.
    """

    def __init__(self, items: Sequence[T]) -> None:
        self._items = tuple(items)
        is_single = len(self._items) == 1
        self._threads: list[_Thread[T]] = [] if is_single else [_Thread(number) for number, _ in enumerate(self._items)]

    def each(self, function: Callable[[T], None]) -> None:
        """Call the function with all items in parallel; when all calls have returned, raise the first error."""
        if not self._threads:
            for item in self._items:
                function(item)
            return
        calls = [thread.submit(function, item) for thread, item in zip(self._threads, self._items, strict=True)]
        for call in calls:
            while not call.done.wait(_POLL):
                pass
        for call in calls:
            if call.error is not None:
                raise call.error

    def end(self) -> None:
        """End the threads after their current call; does not wait."""
        for thread in self._threads:
            thread.end()


class _Call(Generic[T]):
    def __init__(self, function: Callable[[T], None], item: T) -> None:
        self.function, self.item = function, item
        self.done = threading.Event()
        self.error: BaseException | None = None


class _Thread(Generic[T]):
    def __init__(self, number: int) -> None:
        self._calls: queue.SimpleQueue[_Call[T] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"dlclive loop {number}", daemon=True).start()

    def submit(self, function: Callable[[T], None], item: T) -> _Call[T]:
        call = _Call(function, item)
        self._calls.put(call)
        return call

    def end(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call.function(call.item)
            except BaseException as error:  # raised again by `each`
                call.error = error
            finally:
                call.done.set()
