"""Runs a sink off the latency path, in its own thread behind a bounded queue."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dlclive_core.components import Sink
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.stage_times import Stopwatch
from dlclive_core.errors import DataError, DLCLiveError, one_line
from dlclive_core.session.events import Events
from dlclive_core.session.handoff import Handoff
from dlclive_core.session.report import SinkResult
from dlclive_core.session.tolerant import numbers_of

_log = logging.getLogger(__name__)

# A disk may block for 0.3 s while it writes its cache, and a camera delivers 100 frames/s or more.
_MOST = 128  # largest capacity of a live source's sink queue, in estimates
_LEAST = 8  # its smallest capacity, for large images
_MEMORY = 512_000_000  # bytes of images in the queue


@dataclass(frozen=True, slots=True)
class SinkCall:
    """A method of a sink that has not returned, and when it was called."""

    method: str
    since: float


def own_cpu_clock() -> int | None:
    """The clock of the calling thread's CPU time; None where the system has none.

    Only a running thread may be asked for it: for one that has ended, pthread_getcpuclockid may crash the process.
    """
    if sys.platform == "linux":
        return time.pthread_getcpuclockid(threading.get_ident())
    else:
        return None


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
        self.error: BaseException | None = None
        self.busy: SinkCall | None = None
        self.done = threading.Event()
        self._abandoned = False
        self._cpu_clock: int | None = None
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
    def label(self) -> str:
        """The name of its first file, which a reader knows; that of its class if it has none."""
        with suppress(Exception):  # whatever a broken property raises, a message is still to be written
            for path in self.sink.outputs:
                return Path(path).name.removesuffix(".part")
        return self.name

    @property
    def dropped(self) -> int:
        """Estimates that were not written: the queue was full, the sink failed, or the run ended."""
        return self._queue.dropped + self._queue.left + self._unwritten

    def start(self, run: RunInfo) -> None:
        """Open the sink and wait until it is open; raises the error of its `open`."""
        self._thread = threading.Thread(target=self._run, args=(run,), name=f"dlclive {self.name}", daemon=True)
        self._thread.start()
        self._opened.wait()
        if isinstance(self.error, DLCLiveError):
            raise self.error
        if self.error is not None:
            raise DataError(f"sink {self.name} could not be opened: {one_line(self.error)}") from self.error

    def write(self, estimate: Estimate) -> None:
        """Queue one estimate; called by the session's thread. After a failure, the thread keeps emptying the queue."""
        self._queue.put(estimate)

    def stop(self, *, complete: bool) -> None:
        """Have the sink write its backlog, finish if the run is complete, and close; see `join`. Safe to call twice."""
        self._complete = complete
        self._queue.end()

    @property
    def is_closed(self) -> bool:
        """Whether its thread has done everything, or was never started."""
        return self._thread is None or self.done.is_set()

    def cpu_time(self) -> float | None:
        """Seconds of CPU time that its thread has used: a sink that writes a long file uses some, one that hangs does not.

        None where the system cannot tell.
        """
        if sys.platform == "linux" and self._cpu_clock is not None:
            with suppress(OSError):  # the thread has ended
                return time.clock_gettime(self._cpu_clock)
        return None

    def abandon(self, reason: str) -> None:
        """After `stop`: do not wait for the sink any longer. What it has not written counts as dropped."""
        self._abandoned = True
        if self.error is None:
            self._failed(DataError(reason))
        self._queue.drain()
        if self.busy is not None and self.busy.method == "write":
            self._unwritten += 1

    def join(self) -> None:
        """Wait for the end of the thread of a closed sink."""
        if self._thread is not None:
            self._thread.join()

    def result(self) -> SinkResult:
        """The sink's result so far."""
        return SinkResult(
            sink=self.name,
            written=self._written,
            dropped=self.dropped,
            finished=self._finished,
            error=one_line(self.error),
            outputs=self._outputs(),
            write=self._stopwatch.times(),
            statistics=numbers_of(self.sink, f"sink {self.name}"),
        )

    def _run(self, run: RunInfo) -> None:
        self._cpu_clock = own_cpu_clock()
        try:
            with self._calling("open"):
                self.sink.open(run)
        except BaseException as error:
            self.error = error
            self._close()
            self.done.set()
            self._opened.set()
            return
        self._opened.set()
        while (estimate := self._queue.take()) is not None and not self._abandoned:
            self._write(estimate)
        if self._complete and self.error is None:
            try:
                with self._calling("finish"):
                    self.sink.finish()
                self._finished = True
            except BaseException as error:
                self._failed(error)
        self._close()
        self.done.set()

    @contextmanager
    def _calling(self, method: str) -> Iterator[None]:
        self.busy = SinkCall(method, time.perf_counter())
        try:
            yield
        finally:
            self.busy = None

    def _outputs(self) -> tuple[Path, ...]:
        try:
            return tuple(Path(path) for path in self.sink.outputs)
        except Exception as error:  # a broken property must not cost the report
            _log.error("sink %s could not list its files: %s", self.name, one_line(error))
            return ()

    def _write(self, estimate: Estimate) -> None:
        if self.error is not None:
            self._unwritten += 1
            return
        began = time.perf_counter()
        try:
            with self._calling("write"):
                self.sink.write(estimate)
        except BaseException as error:
            if not self._abandoned:
                self._failed(error)
                self._unwritten += 1
        else:
            if not self._abandoned:
                self._written += 1
        self._stopwatch.add(time.perf_counter() - began)

    def _close(self) -> None:
        try:
            with self._calling("close"):
                self.sink.close()
        except BaseException as error:
            if self.error is None:
                self._failed(error)

    def _failed(self, error: BaseException) -> None:
        self.error = error
        text = f"sink {self.name} failed and is detached: {one_line(error)}"
        self._events.add("detached", text)
        _log.error("%s", text)
