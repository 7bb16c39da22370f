"""The capture thread: opens a source, reads it, closes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame
from dlclive_core.data.stage_times import Stopwatch
from dlclive_core.errors import DLCLiveError, EndOfStream, SourceError, one_line
from dlclive_core.session.capture_time import CaptureTime
from dlclive_core.session.component_calls import checked_frame, errors_named
from dlclive_core.session.handoff import Handoff, LatestSlot, LosslessQueue
from dlclive_core.session.reused_buffers import ReusedBuffers
from dlclive_core.session.source_check import SourceCheck
from dlclive_core.session.source_facts import SourceFacts

_TIMEOUT = 0.1  # seconds: how soon a silent source notices the end of the session
_PATIENCE = 1.0  # seconds that a source has to return from `read` and to close; some drivers block for 30 s


class Capture:
    """Reads a source in its own thread and hands the frames over.

    Args:
        facts: what the source says about itself.
        limit: stop after this many frames.
        ahead: how many frames of a recording may be decoded ahead.
        changed: notified of each frame, and of the end.
        check: looks at each frame.
        handoff: where the frames go; None: a slot for a live source, else a queue.
        pace: see `SessionSpec.pace`.

    Attributes:
        read: frames read so far.
        last_at: `time.perf_counter()` of the last frame, or of `begin` before the first.
        lingers: the source did not return in time and was abandoned.
    """

    def __init__(
        self,
        source: FrameSource,
        facts: SourceFacts,
        *,
        limit: int | None,
        ahead: int,
        changed: threading.Condition,
        check: SourceCheck,
        handoff: Handoff[Frame] | None = None,
        pace: Callable[[float], bool] | None = None,
    ) -> None:
        self.source = source
        self.facts = facts
        self._check = check
        self._buffers = ReusedBuffers()
        self._times = CaptureTime()
        suitable = LatestSlot[Frame](changed) if source.is_live else LosslessQueue[Frame](ahead, changed)
        self.handoff: Handoff[Frame] = suitable if handoff is None else handoff
        self.stopwatch = Stopwatch("capture")
        self.read = 0
        self.last_at = 0.0
        self.reached_limit = False
        self.lingers = False
        self.close_error: BaseException | None = None
        self._limit = limit
        self._pace = pace
        self._opened = threading.Event()
        self._begin = threading.Event()
        self._stop = threading.Event()
        self._open_error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dlclive capture", daemon=True)

    @property
    def fps(self) -> float | None:
        """Frames per second: as the source declares, or as measured where that is something else."""
        return self._check.fps

    @property
    def expected(self) -> int | None:
        """The number of frames to read; None if unknown."""
        counts = [count for count in (self.facts.frame_count, self._limit) if count is not None]
        return min(counts, default=None)

    def open(self) -> None:
        """Open the source in its thread; raises the source's error. Frames are read only after `begin`."""
        self._thread.start()
        self._opened.wait()
        if self._open_error is not None:
            self._thread.join()
            raise self._open_error

    def begin(self) -> None:
        """Start reading."""
        self.last_at = time.perf_counter()
        self._begin.set()

    def stop(self) -> None:
        """Stop reading; see `join`."""
        self._stop.set()
        self._begin.set()
        self.handoff.end()

    def join(self, patience: float | None = None) -> None:
        """After `stop`: wait until the source is closed, or abandon it. Safe to call twice, or without `open`."""
        if self._thread.is_alive():
            self._thread.join(_PATIENCE if patience is None else patience)
            self.lingers = self._thread.is_alive()
        self.handoff.drain()

    def _run(self) -> None:
        try:
            try:
                with errors_named(SourceError, f"{self.facts.name} could not be opened"):
                    self.source.open()
            except BaseException as error:
                self._open_error = error
                return
            finally:
                self._opened.set()
            self._begin.wait()
            try:
                self._read()
            except EndOfStream:
                self.handoff.end()
            except BaseException as error:
                self.handoff.end(error)
        finally:
            try:
                self.source.close()
            except BaseException as error:
                self.close_error = error

    def _read(self) -> None:
        while not self._stop.is_set():
            if self.read == self._limit:
                self.reached_limit = True
                raise EndOfStream
            if self._pace is not None and not self._pace(_TIMEOUT):
                continue
            began = time.perf_counter()
            try:
                result = self.source.read(_TIMEOUT)
            except TimeoutError:
                continue
            except (EndOfStream, DLCLiveError, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise SourceError(f"{self.facts.name} failed after {self.read} frames: {one_line(error)}") from error
            frame = checked_frame(result, self.facts.name)
            self.last_at = time.perf_counter()
            self.stopwatch.add(self.last_at - began)
            self.read += 1
            if self.source.is_live:
                frame = self._times.corrected(frame)
            self._check.check(frame, self.last_at, self._times.rate)
            if self._check.is_late(frame):
                self.handoff.dropped += 1
                continue
            frame = self._buffers.keep(frame)
            if not self.handoff.put(frame):  # the handoff was ended elsewhere: close when the sources are closed
                self._stop.wait()
                return
