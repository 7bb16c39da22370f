"""Runs a sink off the latency path, in its own thread behind a bounded queue."""

from __future__ import annotations

import logging
import threading
import time

from dlclive_core.components import Sink
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.errors import one_line
from dlclive_core.session.events import Events
from dlclive_core.session.handoff import Handoff
from dlclive_core.session.report import SinkResult
from dlclive_core.session.stage_times import Stopwatch

_log = logging.getLogger(__name__)

# A disk may block for 0.3 s while it writes its cache, and a camera delivers 100 frames/s or more.
_MOST = 128  # largest capacity of a live source's sink queue, in estimates
_LEAST = 8  # its smallest capacity, for large images
_MEMORY = 512_000_000  # bytes of images in the queue


def room_for(estimate: Estimate) -> int:
    """The queue capacity for a sink of a live source, for images of this size."""
    return max(_LEAST, min(_MOST, _MEMORY // max(1, estimate.frame.image.nbytes)))


class SinkThread:
    """Opens, feeds, finishes and closes one sink in one thread; an error detaches the sink and is kept for the report.

    Args:
        queue: holds waiting estimates. When it is full, `write` blocks with a `LosslessQueue`, and drops and counts with a
            `DroppingQueue`.
        events: where a failure is recorded.
    """

    def __init__(self, sink: Sink, *, queue: Handoff[Estimate], events: Events) -> None:
        self.sink = sink
        self._events = events
        self.error: Exception | None = None
        self._queue = queue
        self._opened = threading.Event()
        self._complete = False
        self._finished = False
        self._written = 0
        self._unwritten = 0
        self._stopwatch = Stopwatch("write")
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return type(self.sink).__name__

    @property
    def dropped(self) -> int:
        """Estimates that were not written: the queue was full, the sink failed, or the run ended."""
        return self._queue.dropped + self._queue.left + self._unwritten

    def start(self, run: RunInfo) -> None:
        """Open the sink and wait until it is open; raises the error of its `open`."""
        self._thread = threading.Thread(target=self._run, args=(run,), name=f"dlclive {self.name}", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self.error is not None:
            self._thread.join()
            raise self.error

    def write(self, estimate: Estimate) -> None:
        """Queue one estimate; called by the session's thread. After a failure, the thread keeps emptying the queue."""
        self._queue.put(estimate)

    def stop(self, *, complete: bool) -> None:
        """Have the sink write its backlog, finish if the run is complete, and close; see `join`. Safe to call twice."""
        self._complete = complete
        self._queue.end()

    def join(self, patience: float | None = None) -> None:
        """After `stop`: wait until the sink is closed, at most this many seconds."""
        if self._thread is not None:
            self._thread.join(patience)

    def result(self) -> SinkResult:
        """The sink's result so far."""
        return SinkResult(
            sink=self.name,
            written=self._written,
            dropped=self.dropped,
            finished=self._finished,
            error=one_line(self.error),
            outputs=self.sink.outputs,
            write=self._stopwatch.times(),
        )

    def _run(self, run: RunInfo) -> None:
        try:
            self.sink.open(run)
        except Exception as error:
            self.error = error
            self._close()
            self._opened.set()
            return
        self._opened.set()
        while (estimate := self._queue.take()) is not None:
            self._write(estimate)
        if self._complete and self.error is None:
            try:
                self.sink.finish()
                self._finished = True
            except Exception as error:
                self._failed(error)
        self._close()

    def _write(self, estimate: Estimate) -> None:
        if self.error is not None:
            self._unwritten += 1
            return
        began = time.perf_counter()
        try:
            self.sink.write(estimate)
        except Exception as error:
            self._failed(error)
            self._unwritten += 1
        else:
            self._written += 1
        self._stopwatch.add(time.perf_counter() - began)

    def _close(self) -> None:
        try:
            self.sink.close()
        except Exception as error:
            if self.error is None:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.error = error
        text = f"sink {self.name} failed and is detached: {one_line(error)}"
        self._events.add("detached", text)
        _log.error("%s", text)
