"""Threads that each do one thing after the other, as they are told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL = 0.1  # seconds: how often a waiting main thread looks for signals, where they do not wake it


class Turns(Generic[T]):
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
        turns = [thread.give(do, thing) for thread, thing in zip(self._threads, self._things, strict=True)]
        for turn in turns:
            while not turn.done.wait(_POLL):
                pass
        for turn in turns:
            if turn.error is not None:
                raise turn.error

    def end(self) -> None:
        """Let the threads end after what they are doing; does not wait."""
        for thread in self._threads:
            thread.end()


class _Turn(Generic[T]):
    def __init__(self, do: Callable[[T], None], thing: T) -> None:
        self.do, self.thing = do, thing
        self.done = threading.Event()
        self.error: BaseException | None = None


class _Thread(Generic[T]):
    def __init__(self, number: int) -> None:
        self._turns: queue.SimpleQueue[_Turn[T] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"dlclive loop {number}", daemon=True).start()

    def give(self, do: Callable[[T], None], thing: T) -> _Turn[T]:
        turn = _Turn(do, thing)
        self._turns.put(turn)
        return turn

    def end(self) -> None:
        self._turns.put(None)

    def _run(self) -> None:
        while (turn := self._turns.get()) is not None:
            try:
                turn.do(turn.thing)
            except BaseException as error:  # raised again by `each`
                turn.error = error
            finally:
                turn.done.set()
