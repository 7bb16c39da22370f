"""Threads that each do one thing after the other, as they are told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL = 0.1  # seconds: how often a waiting main thread looks for signals, where they do not wake it


class LoopThreads(Generic[T]):
    """A thread for each of several things; for a single thing, the caller's own.

    A runtime may keep something per thread, so what belongs together is always done by the same one. The threads are
    daemons: a hanging one does not keep the process alive.
    """

    def __init__(self, things: Sequence[T]) -> None:
        self._things = tuple(things)
        alone = len(self._things) == 1
        self._threads: list[_Thread[T]] = [] if alone else [_Thread(number) for number, _ in enumerate(self._things)]

    def each(self, do: Callable[[T], None]) -> None:
        """Do it with each of them at the same time; when all have returned, raise the first error."""
        if not self._threads:
            for thing in self._things:
                do(thing)
            return
        calls = [thread.give(do, thing) for thread, thing in zip(self._threads, self._things, strict=True)]
        for call in calls:
            while not call.done.wait(_POLL):
                pass
        for call in calls:
            if call.error is not None:
                raise call.error

    def end(self) -> None:
        """Let the threads end after what they are doing; does not wait."""
        for thread in self._threads:
            thread.end()


class _Call(Generic[T]):
    def __init__(self, do: Callable[[T], None], thing: T) -> None:
        self.do, self.thing = do, thing
        self.done = threading.Event()
        self.error: BaseException | None = None


class _Thread(Generic[T]):
    def __init__(self, number: int) -> None:
        self._calls: queue.SimpleQueue[_Call[T] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"dlclive loop {number}", daemon=True).start()

    def give(self, do: Callable[[T], None], thing: T) -> _Call[T]:
        call = _Call(do, thing)
        self._calls.put(call)
        return call

    def end(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call.do(call.thing)
            except BaseException as error:  # raised again by `each`
                call.error = error
            finally:
                call.done.set()
