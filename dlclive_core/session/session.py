"""One source, one model, processors and sinks, running."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.errors import DLCLiveError, ModelError, PluginError
from dlclive_core.estimate import Estimate, RunInfo
from dlclive_core.frame import Frame
from dlclive_core.pose import Pose
from dlclive_core.processor_adapter import DeepLabCutLiveProcessor, as_processor
from dlclive_core.regions import Chain, Region
from dlclive_core.session.capture import Capture
from dlclive_core.session.report import Ending, SessionReport
from dlclive_core.session.sink_thread import SinkThread, one_line
from dlclive_core.session.timing import Stopwatch


class Session:
    """One source, one model, processors and sinks, running together.

        capture thread         the thread that calls run()                    a thread per sink
        source.read  ->  [ ]  ->  region -> model -> processors in order  ->  [ queue ]  ->  sink.write

    A recording is lossless: every stage waits for the next one. A live source is not waited for: the newest frame wins
    and the overwritten ones are counted. An error of the model, the source or a processor ends the session; a sink's
    error detaches that sink. Whatever happens, all that was opened is closed: processors first, because they may hold
    hardware, then the source, then the sinks, which first write what they were given.

    Args:
        source: opened, read and closed by the session.
        model: loaded and closed by the caller, so that several sessions can use it one after the other.
        processors: run in this order on every pose; objects in DeepLabCut-live's style are taken, too.
        sinks: each gets every estimate, in the order of the frames.
        regions: what the model looks at, the first cut out of the frame, the next out of what is left, and so on.
        max_frames: stop after this many frames.
        queue_size: how many estimates may wait for each sink, and how many frames of a recording for the model.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        model: PoseModel,
        processors: Sequence[Processor | DeepLabCutLiveProcessor] = (),
        sinks: Sequence[Sink] = (),
        regions: Sequence[Region] = (),
        max_frames: int | None = None,
        queue_size: int = 8,
    ) -> None:
        self.source = source
        self.model = model
        self.processors = tuple(as_processor(processor) for processor in processors)
        self.sinks = tuple(sinks)
        self.region = Chain(regions)
        self.report: SessionReport | None = None
        self._max_frames = max_frames
        self._queue_size = queue_size
        self._stopped = threading.Event()
        self._capture: Capture | None = None
        self._processed = 0

    @property
    def processed(self) -> int:
        """Frames whose pose went to the sinks so far."""
        return self._processed

    def stop(self) -> None:
        """End the session after the frame that is being processed. May be called from any thread or a signal handler."""
        self._stopped.set()
        capture = self._capture
        if capture is not None:
            # From another thread: the handoff's lock may be held by the very frame of code a signal interrupted.
            threading.Thread(target=capture.handoff.end, name="dlclive stop", daemon=True).start()

    def run(self) -> SessionReport:
        """Run until the source ends, `stop` is called or something fails; `report` is set in every case."""
        self._processed = 0
        self.region.reset()
        self.model.reset()
        capture = Capture(self.source, limit=self._max_frames, ahead=self._queue_size)
        self._capture = capture
        sinks = [SinkThread(sink, capacity=self._queue_size, lossless=not self.source.is_live) for sink in self.sinks]
        watches = {name: Stopwatch(name) for name in ("wait", "region", "inference", "processors", "sinks", "latency")}
        failure: BaseException | None = None
        began = ended = time.perf_counter()
        try:
            capture.open()
            self._warm_up()
            run = self._describe()
            for sink in sinks:
                sink.start(run)
            for processor in self.processors:
                processor.open(run)
            began = time.perf_counter()
            capture.begin()
            self._loop(capture, sinks, watches)
            ended = time.perf_counter()
        except BaseException as error:
            ended = time.perf_counter()
            failure = error
            raise
        finally:
            close_error = self._close_processors()
            capture.stop()
            self._capture = None
            failure = failure or close_error or capture.close_error
            ending = self._ending(capture, failure)
            complete = failure is None and (ending != "stopped" or self.source.is_live)
            for sink in sinks:
                sink.stop(complete=complete)
            self.report = SessionReport(
                source=self.source.name or type(self.source).__name__,
                runtime=self.model.runtime,
                device=self.model.device,
                ending=ending,
                complete=complete,
                error=one_line(failure),
                frames_read=capture.read,
                processed=self._processed,
                dropped=capture.read - self._processed,
                corrupt=self.source.corrupt,
                duration=ended - began,
                stages=(capture.watch.times(), *(watch.times() for watch in watches.values())),
                sinks=tuple(sink.result() for sink in sinks),
            )
        if failure is not None:
            raise failure
        return self.report

    def _warm_up(self) -> None:
        if self.source.frame_size is not None:
            width, height = self.source.frame_size
            image, _ = self.region.cut(np.full((height, width, 3), 127, dtype=np.uint8))
            self.model.warmup(image.shape)

    def _describe(self) -> RunInfo:
        return RunInfo(
            card=self.model.card,
            source=self.source.name,
            is_live=self.source.is_live,
            frame_size=self.source.frame_size,
            fps=self.source.fps,
            frame_count=self.source.frame_count,
            started_at=datetime.now(timezone.utc).astimezone(),
            started_clock=time.perf_counter(),
        )

    def _loop(self, capture: Capture, sinks: Sequence[SinkThread], watches: dict[str, Stopwatch]) -> None:
        clock = time.perf_counter
        while not self._stopped.is_set():
            frame = capture.handoff.take()
            if frame is None or (sinks and all(sink.error is not None for sink in sinks)):
                return
            taken = clock()
            image, placement = self.region.cut(frame.image)
            inference_began = clock()
            pose = self._predict(image, frame)
            inference_ended = clock()
            pose = placement.pose_to_outer(pose)
            self.region.follow(pose)  # the model's own pose steers the region, whatever processors make of it
            mapped = clock()
            for processor in self.processors:
                pose = self._process(processor, pose, frame)
            ready = clock()
            estimate = Estimate(frame, pose, inference_began, inference_ended, ready)
            for sink in sinks:
                sink.write(estimate)
            self._processed += 1
            handed = clock()
            watches["wait"].add(taken - frame.captured_at)
            watches["region"].add(inference_began - taken + mapped - inference_ended)
            watches["inference"].add(inference_ended - inference_began)
            watches["processors"].add(ready - mapped)
            watches["sinks"].add(handed - ready)
            watches["latency"].add(ready - frame.captured_at)

    def _predict(self, image: NDArray[np.uint8], frame: Frame) -> Pose:
        try:
            return self.model.predict(image)
        except DLCLiveError:
            raise
        except Exception as error:
            raise ModelError(f"the model failed at frame {frame.index}: {one_line(error)}") from error

    @staticmethod
    def _process(processor: Processor, pose: Pose, frame: Frame) -> Pose:
        try:
            return processor.process(pose, frame)
        except DLCLiveError:
            raise
        except Exception as error:
            raise PluginError(
                f"processor {type(processor).__name__} failed at frame {frame.index}: {one_line(error)}"
            ) from error

    def _close_processors(self) -> Exception | None:
        """Close all of them, whatever one of them does; the first error is returned."""
        first: Exception | None = None
        for processor in self.processors:
            try:
                processor.close()
            except Exception as error:
                first = first or error
        return first

    def _ending(self, capture: Capture, failure: BaseException | None) -> Ending:
        if failure is not None:
            return "error"
        if self._stopped.is_set():
            return "stopped"
        return "frame limit" if capture.reached_limit else "end of source"
