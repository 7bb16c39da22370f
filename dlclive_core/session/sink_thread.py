"""A sink, off the latency path: a thread of its own behind a bounded queue."""

from __future__ import annotations

import logging
import queue
import threading
import time

from dlclive_core.components import Sink
from dlclive_core.errors import DLCLiveError
from dlclive_core.estimate import Estimate, RunInfo
from dlclive_core.session.report import SinkResult
from dlclive_core.session.timing import Stopwatch

_log = logging.getLogger(__name__)


class SinkThread:
    """Opens, feeds, finishes and closes one sink in one thread; an error detaches the sink and is kept for the report.

    Args:
        lossless: `write` waits for a free place; otherwise the estimate is dropped and counted.
    """

    def __init__(self, sink: Sink, *, capacity: int, lossless: bool) -> None:
        self.sink = sink
        self.error: Exception | None = None
        self._lossless = lossless
        self._queue: queue.Queue[Estimate | None] = queue.Queue(capacity)
        self._opened = threading.Event()
        self._complete = False
        self._finished = False
        self._written = 0
        self._dropped = 0
        self._watch = Stopwatch("write")
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return type(self.sink).__name__

    def start(self, run: RunInfo) -> None:
        """Open the sink and wait until it is open; raises what its `open` raised."""
        self._thread = threading.Thread(target=self._run, args=(run,), name=f"dlclive {self.name}", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self.error is not None:
            self._thread.join()
            raise self.error

    def write(self, estimate: Estimate) -> None:
        """Hand over one estimate; called by the session's thread."""
        if self.error is not None:
            self._dropped += 1
        elif self._lossless:
            self._queue.put(estimate)  # a sink that failed keeps emptying its queue, so this cannot wait for ever
        else:
            try:
                self._queue.put_nowait(estimate)
            except queue.Full:
                self._dropped += 1

    def stop(self, *, complete: bool) -> None:
        """Write what is waiting, finish if the run is complete, close, and wait for all that. Safe to call twice."""
        if self._thread is not None and self._thread.is_alive():
            self._complete = complete
            self._queue.put(None)
            self._thread.join()

    def result(self) -> SinkResult:
        return SinkResult(
            sink=self.name,
            written=self._written,
            dropped=self._dropped,
            finished=self._finished,
            error=one_line(self.error),
            outputs=self.sink.outputs,
            write=self._watch.times(),
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
        while (estimate := self._queue.get()) is not None:
            if self.error is not None:
                self._dropped += 1
                continue
            began = time.perf_counter()
            try:
                self.sink.write(estimate)
            except Exception as error:
                self._failed(error)
                self._dropped += 1
            else:
                self._written += 1
            self._watch.add(time.perf_counter() - began)
        if self._complete and self.error is None:
            try:
                self.sink.finish()
                self._finished = True
            except Exception as error:
                self._failed(error)
        self._close()

    def _close(self) -> None:
        try:
            self.sink.close()
        except Exception as error:
            if self.error is None:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.error = error
        _log.error("sink %s failed and is detached: %s", self.name, one_line(error))


def one_line(error: BaseException | None) -> str:
    """An error as one line; its type is named where the message was not written for users."""
    if error is None:
        return ""
    text = " ".join(str(error).split())
    return text if isinstance(error, DLCLiveError) else f"{type(error).__name__}: {text}"
