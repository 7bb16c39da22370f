"""The capture thread: opens a source, reads it, closes it."""

from __future__ import annotations

import threading
import time

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame
from dlclive_core.errors import EndOfStream
from dlclive_core.session.capture_time import CaptureTime
from dlclive_core.session.handoff import Handoff, LatestSlot, LosslessQueue
from dlclive_core.session.reused_buffers import ReusedBuffers
from dlclive_core.session.source_check import SourceCheck
from dlclive_core.session.stage_times import Stopwatch

_TIMEOUT = 0.1  # seconds: how soon a quiet source notices that the session is over
_PATIENCE = (
    1.0  # seconds that a source has to come back from `read` and to close; drivers have been seen to block for 30 s
)


class Capture:
    """Reads a source in a thread of its own and hands the frames over.

    Args:
        limit: stop after this many frames.
        ahead: how many frames of a recording may be decoded before they are needed.
        changed: notified when there is a frame, and at the end.
        check: looks at each frame.

    Attributes:
        read: how many frames the source gave.
        last_at: `time.perf_counter()` when it gave the last one, or when it was first asked.
        lingers: the source did not come back in time, and was left behind.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        limit: int | None,
        ahead: int,
        changed: threading.Condition,
        check: SourceCheck,
    ) -> None:
        self.source = source
        self._check = check
        self._buffers = ReusedBuffers()
        self._times = CaptureTime()
        self.handoff: Handoff[Frame] = LatestSlot(changed) if source.is_live else LosslessQueue(ahead, changed)
        self.stopwatch = Stopwatch("capture")
        self.read = 0
        self.last_at = 0.0
        self.reached_limit = False
        self.lingers = False
        self.close_error: Exception | None = None
        self._limit = limit
        self._opened = threading.Event()
        self._begin = threading.Event()
        self._stop = threading.Event()
        self._open_error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="dlclive capture", daemon=True)

    @property
    def fps(self) -> float | None:
        """Frames per second: as the source declares, or as measured where that is something else."""
        return self._check.fps

    @property
    def expected(self) -> int | None:
        """How many frames there will be, as far as the source knows."""
        numbers = [number for number in (self.source.frame_count, self._limit) if number is not None]
        return min(numbers, default=None)

    def open(self) -> None:
        """Open the source in its thread; raises what it raised. Frames are read only after `begin`."""
        self._thread.start()
        self._opened.wait()
        if self._open_error is not None:
            self._thread.join()
            raise self._open_error

    def begin(self) -> None:
        """Read."""
        self.last_at = time.perf_counter()
        self._begin.set()

    def stop(self) -> None:
        """End reading; see `join`."""
        self._stop.set()
        self._begin.set()
        self.handoff.end()

    def join(self, patience: float = _PATIENCE) -> None:
        """After `stop`: wait until the source is closed, or left behind. Safe to call twice, or without `open`."""
        if self._thread.is_alive():
            self._thread.join(patience)
            self.lingers = self._thread.is_alive()
        self.handoff.drain()

    def _run(self) -> None:
        try:
            try:
                self.source.open()
            except Exception as error:
                self._open_error = error
                return
            finally:
                self._opened.set()
            self._begin.wait()
            try:
                self._read()
            except EndOfStream:
                self.handoff.end()
            except Exception as error:
                self.handoff.end(error)
        finally:
            try:
                self.source.close()
            except Exception as error:
                self.close_error = error

    def _read(self) -> None:
        while not self._stop.is_set():
            if self.read == self._limit:
                self.reached_limit = True
                raise EndOfStream
            began = time.perf_counter()
            try:
                frame = self.source.read(_TIMEOUT)
            except TimeoutError:
                continue
            self.last_at = time.perf_counter()
            self.stopwatch.add(self.last_at - began)
            self.read += 1
            if self.source.is_live:
                frame = self._times.corrected(frame)
            self._check.look(frame, self.last_at, self._times.rate)
            if self._check.is_late(frame):
                self.handoff.dropped += 1
                continue
            if not self.handoff.put(
                self._buffers.keep(frame)
            ):  # it was ended elsewhere: closed when it is the sources' turn
                self._stop.wait()
                return
