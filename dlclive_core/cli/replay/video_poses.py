"""Poses that a model computes again from a run's video, at the run's times if they were recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dlclive_core.cli.parts import ModelPart, build_regions
from dlclive_core.cli.replay.recorded_session import RecordedSession
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.cli.specs import ModelSpec
from dlclive_core.components import FrameSource, PoseModel, Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.recorded_run import RecordedFrame
from dlclive_core.data.recorded_times import TimesInOrder, is_times, read_times
from dlclive_core.errors import UsageError
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.session import Session


@dataclass(frozen=True, slots=True)
class VideoPoses:
    """The frames of a video, with poses that are computed again.

    Attributes:
        run: the recorded run, with the card of the model; it is live if it was, and the times are known.
    """

    source: FrameSource
    model: PoseModel
    session: RecordedSession
    times: Path | None
    run: RunInfo

    @classmethod
    def open(
        cls, session: RecordedSession, video: Path, model: str | None, times: Path | None, catalog: PluginCatalog
    ) -> VideoPoses:
        """Load the model; by default the run's. Raises UsageError, ModelError, SourceError."""
        if not video.exists():
            raise UsageError(f"no such video: {video}")
        source = source_for(video, catalog)
        if model is None and not Path(session.model_file).exists():
            raise UsageError(f"the run's model {session.model_file} is not there; pass --model")
        if times is None:
            times = _times_of(video, session)
        spec = ModelSpec(path=model or session.model_file)
        if model is None and session.fallback is not None:
            file, limit = session.fallback
            if not file.exists():
                raise UsageError(f"the run's fallback {file} is not there; pass --model to do without")
            spec = replace(spec, fallback=file, fallback_limit=limit)
        loaded = ModelPart.build(spec, catalog).load(catalog)
        run = replace(session.run, card=loaded.card, is_live=session.run.is_live and times is not None)
        return cls(source, loaded, session, times, run)

    @property
    def inexact(self) -> tuple[str, ...]:
        """Why the replay may differ from the run."""
        poses = f"poses are computed again from {self.source.name}, whose pictures may be compressed"
        if self.times is None:
            return poses, "times are those of the video, and the age of a pose is taken to be 0"
        return poses, f"times are those of {self.times.name}"

    def feed(self, each: Callable[[RecordedFrame], Pose], signals: StopOnSignal) -> str:
        """Call a function with every frame, in order; returns what could not be used, in one line.

        Raises what it raises, and SourceError, DataError, ModelError.
        """
        times = None if self.times is None else _in_video(self.times, Path(self.source.name).name)
        feeder = _Feeder(each, times, is_live=self.run.is_live)
        regions = build_regions(self.session.regions, self.model.profile)
        session = Session(source=self.source, model=self.model, processors=[feeder], regions=regions)
        with signals.stops(session):
            session.run()
        if self.times is None or not feeder.untimed:
            return ""
        return f"{feeder.untimed} frames have no row in {self.times.name}"


class _Feeder(Processor):
    """Passes each pose on, with the times that were recorded."""

    def __init__(self, each: Callable[[RecordedFrame], Pose], times: TimesInOrder | None, *, is_live: bool) -> None:
        self._each, self._times, self._is_live = each, times, is_live
        self.untimed = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if self._times is None:
            captured_at = frame.device_time if frame.device_time is not None else frame.captured_at
            return self._each(RecordedFrame(replace(frame, captured_at=captured_at), pose, captured_at))
        time = self._times.of(frame.index)
        if time is None:
            self.untimed += 1
            return pose
        recorded = replace(frame, index=time.index, captured_at=time.captured_at, device_time=time.device_time)
        age = time.latency if self._is_live and time.latency is not None else 0.0
        return self._each(RecordedFrame(recorded, pose, time.captured_at + age))


def _times_of(video: Path, session: RecordedSession) -> Path | None:
    """The table beside a recorded video, or that of the run."""
    beside = video.with_name(f"{video.stem}_timestamps.csv")
    return next((file for file in (beside, *session.files) if is_times(file)), None)


def _in_video(path: Path, video: str) -> TimesInOrder:
    """The times by their place in the video; in a table without places, by the number of the frame."""
    return TimesInOrder(
        (row for row in read_times(path) if row.video in (None, video)),
        lambda row: row.index if row.video_frame is None else row.video_frame,
    )
