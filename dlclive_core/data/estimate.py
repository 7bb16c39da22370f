"""What a sink receives: a frame, its pose, and when each was ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.progress import Progress


@dataclass(frozen=True, slots=True)
class Estimate:
    """One frame with its pose. All times are `time.perf_counter()` seconds, the frame's clock.

    Attributes:
        inference_began: the model was given the image.
        inference_ended: the model gave its pose.
        ready_at: the last processor was done.
    """

    frame: Frame
    pose: Pose
    inference_began: float
    inference_ended: float
    ready_at: float

    @property
    def latency(self) -> float:
        """Seconds from the frame's capture to the finished pose."""
        return self.ready_at - self.frame.captured_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What is known when a run begins; processors and sinks are opened with it.

    Attributes:
        card: the model's.
        source: the source's name, for example the path of a video.
        is_live: True for a camera or stream, False for a recording, whose frames carry the time of the recording.
        frame_size: (width, height) of the source's frames in pixels, None until the first frame shows it.
        fps: frames per second that the source declares.
        frame_count: how many frames will come, where that is known.
        started_at: wall time, with time zone: the only one in a run.
        started_clock: `time.perf_counter()` at the same moment, which ties all other times to it.
        name: what the session is called; the source's name unless it was given one.
        progress: tells how the session is doing, its drops for example. Any thread may call it, as long as the session runs;
            it costs a microsecond or two. None where there is no session, as in `DLCLive`.
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
