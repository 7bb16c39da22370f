"""The input of sinks: a frame with its pose and timestamps; and the description of a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import Frame
from dlclive_core.data.marks import Marks
from dlclive_core.data.pose import Pose
from dlclive_core.data.progress import Progress
from dlclive_core.data.run_clock import RunClock


@dataclass(frozen=True, slots=True)
class Estimate:
    """One frame with its pose. All times are `time.perf_counter()` seconds, the frame's clock.

    Attributes:
        inference_began: when the model received the image.
        inference_ended: when the model returned the pose.
        ready_at: when the last processor was done.
        model_pose: the pose before the processors, for a replay through other ones; None: `pose`, which none has changed.
    """

    frame: Frame
    pose: Pose
    inference_began: float
    inference_ended: float
    ready_at: float
    model_pose: Pose | None = None

    @property
    def latency(self) -> float:
        """Seconds from the frame's capture to the finished pose."""
        return self.ready_at - self.frame.captured_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """The description of a run, passed to `open` of processors and sinks.

    Attributes:
        card: the model's card.
        source: the source's name, for example the path of a video.
        is_live: True for a camera or stream, False for a recording, whose frames carry the time of the recording.
        frame_size: (width, height) of the source's frames in pixels; None if unknown before the first frame.
        fps: frames per second that the source declares.
        frame_count: the number of frames, if known.
        started_at: wall time with time zone, the only wall time in a run.
        started_clock: `time.perf_counter()` at the same moment, which relates all other times to wall time.
        name: the session's name; by default the source's name.
        progress: returns the session's progress, for example its drops. Any thread may call it while the session runs; a
            call takes a microsecond or two. None without a session, as in `DLCLive`.
        clock: what processors ask for the time.
        marks: the frames that the user marks, for example by a key in the window, for sinks that keep them.
        is_replay: True where a recorded run goes through processors again. Images are black, there is no animal, and nothing
            may be driven: `Output.rehearsal` takes an output's place.
        dimensions: of the poses: 2, or 3 for `Pose3D`.
        unit: of the positions: "px"; for `Pose3D` that of the calibration, "" if it does not tell.
    """

    card: ModelCard
    source: str
    is_live: bool
    frame_size: tuple[int, int] | None
    fps: float | None
    frame_count: int | None
    started_at: datetime
    started_clock: float
    name: str = ""
    progress: Callable[[], Progress] | None = None
    clock: RunClock = field(default_factory=RunClock)
    marks: Marks = field(default_factory=Marks, compare=False)
    is_replay: bool = False
    dimensions: int = 2
    unit: str = "px"

    def since_start(self, frame: Frame) -> float:
        """Seconds since the run began (live) or since the recording's time zero; NaN or infinite where nobody knows.

        A recording is read faster or slower than it was made, so the time at which the host received a frame means nothing: the
        time in the recording counts, or, without timestamps, the frame number divided by the declared rate.
        """
        if self.is_live:
            return frame.captured_at - self.started_clock
        if frame.device_time is not None and math.isfinite(frame.device_time):
            return float(frame.device_time)
        return frame.index / self.fps if self.fps else frame.captured_at - self.started_clock
