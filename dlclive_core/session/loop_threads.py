"""Worker threads for the loops of a run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL = 0.1  # seconds: how often a waiting main thread checks for signals, on systems where they do not wake it


class Call(Generic[T]):
    """A call in a worker thread.

    Attributes:
        done: set when it has returned or raised.
        error: what it raised.
    """

    def __init__(self, function: Callable[[T], None], item: T) -> None:
        self.function, self.item = function, item
        self.done = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Make the call; what it raises is kept."""
        try:
            self.function(self.item)
        except BaseException as error:  # raised again by `LoopThreads.each`
            self.error = error
        finally:
            self.done.set()


class LoopThreads(Generic[T]):
    """One thread per item, so that the caller's thread is free for signals and can leave a component behind that hangs.

    A runtime may keep state per thread, so each item always runs in the same thread. The threads are daemons: one that
    hangs does not keep the process alive.
    """

    def __init__(self, items: Sequence[T]) -> None:
        self._items = tuple(items)
        self._threads: list[_Thread[T]] = [_Thread(number) for number, _ in enumerate(self._items)]

    def start(self, function: Callable[[T], None]) -> list[Call[T]]:
        """Begin to call the function with all items in parallel, each after the earlier calls of its thread."""
        return [thread.submit(function, item) for thread, item in zip(self._threads, self._items, strict=True)]

    def each(self, function: Callable[[T], None]) -> None:
        """Call the function with all items in parallel; when all calls have returned, raise the first error."""
        calls = self.start(function)
        for call in calls:
            while not call.done.wait(_POLL):
                pass
        for call in calls:
            if call.error is not None:
                raise call.error

    def end(self) -> None:
        """End the threads: one that has nothing to do is gone at the return, one that hangs ends after its call."""
        for thread in self._threads:
            thread.end()


class _Thread(Generic[T]):
    def __init__(self, number: int) -> None:
        self._calls: queue.SimpleQueue[Call[T] | None] = queue.SimpleQueue()
        self._last: Call[T] | None = None
        self._thread = threading.Thread(target=self._run, name=f"dlclive loop {number}", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[T], None], item: T) -> Call[T]:
        call = self._last = Call(function, item)
        self._calls.put(call)
        return call

    def end(self) -> None:
        self._calls.put(None)
        if self._last is None or self._last.done.is_set():
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
