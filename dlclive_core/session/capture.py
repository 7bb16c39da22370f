"""The capture thread: opens a source, reads it, closes it."""

from __future__ import annotations

import threading
import time

from dlclive_core.components import FrameSource
from dlclive_core.errors import EndOfStream
from dlclive_core.session.handoff import EveryFrame, Handoff, NewestFrame
from dlclive_core.session.timing import Stopwatch

_TIMEOUT = 0.1  # seconds: how soon a quiet source notices that the session is over


class Capture:
    """Reads a source in a thread of its own and hands the frames over.

    Args:
        limit: stop after this many frames.
        ahead: how many frames of a recording may be decoded before they are needed.
    """

    def __init__(self, source: FrameSource, *, limit: int | None, ahead: int) -> None:
        self.source = source
        self.handoff: Handoff = NewestFrame() if source.is_live else EveryFrame(ahead)
        self.watch = Stopwatch("capture")
        self.read = 0
        self.reached_limit = False
        self.close_error: Exception | None = None
        self._limit = limit
        self._opened = threading.Event()
        self._begin = threading.Event()
        self._stop = threading.Event()
        self._open_error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="dlclive capture", daemon=True)

    def open(self) -> None:
        """Open the source in its thread; raises what it raised. Frames are read only after `begin`."""
        self._thread.start()
        self._opened.wait()
        if self._open_error is not None:
            self._thread.join()
            raise self._open_error

    def begin(self) -> None:
        self._begin.set()

    def stop(self) -> None:
        """End reading and close the source; waits for both. Safe to call twice, or without `open`."""
        self._stop.set()
        self._begin.set()
        self.handoff.end()
        if self._thread.is_alive():
            self._thread.join()
        self.handoff.dropped += self.handoff.drain()

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
            self.watch.add(time.perf_counter() - began)
            self.read += 1
            if not self.handoff.put(frame):
                self.handoff.dropped += 1
