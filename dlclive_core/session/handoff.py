"""How frames pass from the capture thread to the session's thread: all of them, or the newest."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque

from dlclive_core.frame import Frame


class Handoff(ABC):
    """One thread puts, one thread takes. After `end`, `take` gives what is left and then None."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self.dropped = 0

    @abstractmethod
    def put(self, frame: Frame) -> bool:
        """Give a frame to the other thread; False when nobody will take it any more."""

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more frames come, and why if it is not the end of the file. May be called by either side."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def take(self) -> Frame | None:
        """The next frame, None after the last; raises what the source raised, after the frames before it."""
        with self._changed:
            while not self._frames and not self._ended:
                self._changed.wait()
            if self._frames:
                frame = self._frames.popleft()
                self._changed.notify_all()
                return frame
            if self._error is not None:
                raise self._error
            return None

    def drain(self) -> int:
        """Forget the frames that nobody took; return how many there were."""
        with self._changed:
            left = len(self._frames)
            self._frames.clear()
            return left


class EveryFrame(Handoff):
    """For recordings: `put` waits while `capacity` frames are waiting, so none is lost and memory is bounded."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def put(self, frame: Frame) -> bool:
        with self._changed:
            while len(self._frames) >= self._capacity and not self._ended:
                self._changed.wait()
            if self._ended:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True


class NewestFrame(Handoff):
    """For live sources: one slot; a frame that nobody took in time is overwritten, and counted as dropped."""

    def put(self, frame: Frame) -> bool:
        with self._changed:
            if self._ended:
                return False
            if self._frames:
                self._frames.clear()
                self.dropped += 1
            self._frames.append(frame)
            self._changed.notify_all()
            return True
