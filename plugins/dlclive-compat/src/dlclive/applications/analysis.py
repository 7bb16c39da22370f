"""Runs a network over a video or a camera, and leaves the files that were asked for."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.pose_arrays import FramePose, frame_poses
from dlclive.applications.run_sinks import check_sinks
from dlclive.applications.stopwatch import Stopwatch
from dlclive_core import (
    ArrayProcessor,
    FrameSource,
    MemorySink,
    Processor,
    Session,
    SessionReport,
    Sink,
    as_processor,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The result of a run.

    Attributes:
        memory: the poses, and the numbers of their frames.
        times: seconds of each frame, from the crop to the last processor; the first includes the loading of the network.
        parameters: `DLCLive.parameterization`; `parameters["cfg"]` is what is known of DeepLabCut's configuration.
        report: of the session.
    """

    memory: MemorySink
    times: list[float]
    parameters: dict[str, Any]
    report: SessionReport
    single_animal: bool

    @property
    def poses(self) -> list[FramePose]:
        """The poses as deeplabcut-live returns them."""
        return frame_poses(self.memory, single_animal=self.single_animal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What to run.

    Attributes:
        source: not yet opened.
        network: which network, and what it sees.
        sinks: the files and the window.
        processor: in deeplabcut-live's style, or a `Processor`; None: none.
        max_frames: how many frames, or None: all.
    """

    source: FrameSource
    network: NetworkOptions
    sinks: Sequence[Sink] = ()
    processor: object | None = None
    max_frames: int | None = None

    def go(self) -> Analysis:
        """Run to the end of the source; Ctrl-C ends a camera's run in order, and what it gave is returned.

        Raises:
            DLCLiveError: in one line what failed. What was written until then stays.
            KeyboardInterrupt: for a video.
        """
        memory = MemorySink()
        began = time.perf_counter()
        live, runner = self.network.build()
        with closing(runner):
            runner.load_model()
            model = runner.model
            assert model is not None
            loaded = time.perf_counter() - began
            watch = Stopwatch(self.network, () if model.profile is None else model.profile.regions())
            session = Session(
                source=self.source,
                model=model,
                processors=[*_adapted(self.processor, self.network.single_animal), watch.stop],
                sinks=[memory, *self.sinks],
                regions=[watch],
                max_frames=self.max_frames,
            )
            with _stopped_by_ctrl_c(session):
                report = session.run()
            parameters = live.parameterization
        check_sinks(report)
        times = watch.seconds[: len(memory.poses)]
        if times:
            times[0] += loaded
        return Analysis(
            memory=memory, times=times, parameters=parameters, report=report, single_animal=self.network.single_animal
        )


def _adapted(processor: object, single_animal: bool) -> list[Processor]:
    """The processor as a session takes it; one in deeplabcut-live's style gets the arrays that `DLCLive` gives it."""
    if processor is None:
        return []
    adapted = as_processor(processor)
    if isinstance(adapted, ArrayProcessor):
        adapted = ArrayProcessor(adapted.processor, single_animal=single_animal)
    return [adapted]


@contextmanager
def _stopped_by_ctrl_c(session: Session) -> Iterator[None]:
    """Let Ctrl-C stop a camera's session, which has no other end; in the main thread only, as Python has it."""
    if not session.source.is_live or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)  # a second one quits at once
        session.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
