"""A sink, off the latency path: a thread of its own behind a bounded queue."""

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

# A disk may be busy for 0.3 s when it writes what it was given, and a camera gives 100 frames/s and more.
_MOST = 128  # estimates that wait for a sink of a live source
_LEAST = 8  # however large their images are
_MEMORY = 512_000_000  # bytes of images that wait for it


def room_for(estimate: Estimate) -> int:
    """How many estimates with images as large as this one's may wait for a sink of a live source."""
    return max(_LEAST, min(_MOST, _MEMORY // max(1, estimate.frame.image.nbytes)))


class SinkThread:
    """Opens, feeds, finishes and closes one sink in one thread; an error detaches the sink and is kept for the report.

    Args:
        queue: where estimates wait: `LosslessQueue` makes `write` wait for a free place, `DroppingQueue` drops and counts.
        events: where a failure is noted.
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
        """Estimates that were not written: no room, an error, or left behind."""
        return self._queue.dropped + self._queue.left + self._unwritten

    def start(self, run: RunInfo) -> None:
        """Open the sink and wait until it is open; raises what its `open` raised."""
        self._thread = threading.Thread(target=self._run, args=(run,), name=f"dlclive {self.name}", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self.error is not None:
            self._thread.join()
            raise self.error

    def write(self, estimate: Estimate) -> None:
        """Hand over one estimate; called by the session's thread. A sink that failed keeps emptying its queue."""
        self._queue.put(estimate)

    def stop(self, *, complete: bool) -> None:
        """Have it write what is waiting, finish if the run is complete, and close; see `join`. Safe to call twice."""
        self._complete = complete
        self._queue.end()

    def join(self, patience: float | None = None) -> None:
        """After `stop`: wait until it is closed, at most this many seconds."""
        if self._thread is not None:
            self._thread.join(patience)

    def result(self) -> SinkResult:
        """What became of it so far."""
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
