"""Recordings with facts that their files do not have: times, a skeleton, the size of the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

import numpy as np

from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose_recording import PoseRecording, PoseRows, RecordingInfo
from dlclive_core.data.recorded_times import RecordedTime, TimesInOrder, read_times
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.errors import DataError, UsageError

_UNNAMED = ("individual_1",)  # as `foreign_card` calls the animal of a table without names


class DescribedRecording(PoseRecording):
    """A recording with another description, of the same shape; tells how many frames it has yielded.

    Args:
        progress: called with the number of frames so far, and again from 0 in each pass.
    """

    def __init__(
        self, recording: PoseRecording, info: RecordingInfo, progress: Callable[[int], None] | None = None
    ) -> None:
        self._recording, self._progress = recording, progress
        self.info, self.frame_count = info, recording.frame_count

    @property
    def damage(self) -> str:
        """That of the file."""
        return self._recording.damage

    def blocks(self) -> Iterator[PoseRows]:
        """Yield the frames in order."""
        for rows in self._recording.blocks():
            if self._progress is not None and len(rows):
                self._progress(int(rows.numbers[-1]) + 1)
            yield rows


@dataclass(frozen=True, slots=True)
class TimesTable:
    """A table of timestamps, and which of its columns are the frames' times.

    Attributes:
        is_live: times are those of the capture, on the host's clock; False: those in the video.
        by_place: frames are counted as in the recorded video, not as the camera counted.
        started_at: wall time of second 0; None for a video, of which only the analysis has one.
    """

    path: Path
    is_live: bool
    by_place: bool
    started_at: datetime | None

    @classmethod
    def inspect(cls, path: Path, is_live: bool | None, *, same_run: bool) -> TimesTable:
        """Look at the first row.

        Args:
            is_live: None: unknown. A table beside a recorded video is of a live source; in others, a device's time near 0
                is one in a video.
            same_run: the poses are of the run that has written the table, so that both count frames alike.

        Raises:
            DataError: it is not a table of timestamps, or has no rows.
        """
        first = next(read_times(path), None)
        if first is None:
            raise DataError(f"{path} has no times: it has no rows")
        if is_live is None:
            device = first.device_time
            is_live = first.video is not None or device is None or not 0 <= device <= max(1, first.index)
        started_at = None if first.wall_time is None else first.wall_time - timedelta(seconds=first.captured_at)
        has_place = first.video_frame is not None and not same_run
        return cls(path, is_live, has_place, started_at if is_live else None)

    def __str__(self) -> str:
        what = "capture times" if self.is_live else "times in the video"
        return f"{what} of {self.path.name}"

    def video_of(self, source: str) -> str | None:
        """Which of the videos in the table is the one named `source`, with or without suffix; None: it tells of one only.

        Raises:
            UsageError: it tells of several, in each of which frames are counted from 0, and this is none of them.
        """
        names = {row.video for row in read_times(self.path) if row.video} if self.by_place else set()
        if len(names) < 2:
            return None
        own = PurePosixPath(source.replace("\\", "/")).name
        for name in sorted(names):
            if own and own in (name, PurePosixPath(name).stem):
                return name
        raise UsageError(
            f"{self.path} has the times of several videos ({', '.join(sorted(names)[:4])}), and it is not known which of them "
            "the poses are of: begin the table's name with that of its video, or pass with --times a table of this video alone"
        )

    def in_order(self, video: str | None) -> TimesInOrder:
        """The times, for frames in order; those of one video, if one is named."""
        if not self.by_place:
            return TimesInOrder(read_times(self.path))
        rows = (row for row in read_times(self.path) if video is None or row.video == video)
        return TimesInOrder(rows, lambda row: row.index if row.video_frame is None else row.video_frame)

    def seconds(self, time: RecordedTime | None) -> float:
        """NaN where the table has none."""
        if time is None:
            return float("nan")
        if self.is_live:
            return time.captured_at
        return float("nan") if time.device_time is None else time.device_time


class TimedRecording(PoseRecording):
    """A recording at the times of a table. Raises what `TimesTable.video_of` does.

    Attributes:
        untimed: how many frames of the last `blocks` had no row in the table.
    """

    def __init__(self, recording: PoseRecording, times: TimesTable) -> None:
        self._recording, self._times = recording, times
        self._video = times.video_of(recording.info.source)
        self.info = recording.info.with_(has_times=True, started_at=times.started_at or recording.info.started_at)
        self.frame_count, self.untimed = recording.frame_count, 0

    @property
    def damage(self) -> str:
        """That of the file, and frames without a time."""
        lacks = f"{self.untimed} frames have no time in {self._times.path.name}" if self.untimed else ""
        return "; ".join(filter(None, (self._recording.damage, lacks)))

    def blocks(self) -> Iterator[PoseRows]:
        """Yield the frames in order. Raises DataError."""
        self.untimed = 0
        times = self._times.in_order(self._video)
        for rows in self._recording.blocks():
            seconds = np.array([self._times.seconds(times.of(int(number))) for number in rows.numbers], np.float64)
            self.untimed += int(np.isnan(seconds).sum())
            yield replace(rows, seconds=seconds)


def with_model(info: RecordingInfo, card: ModelCard, model: str) -> RecordingInfo:
    """The description with the edges of a model's skeleton. Raises UsageError if its keypoints are others."""
    own, theirs = info.card.skeleton.keypoints, card.skeleton.keypoints
    if set(own) != set(theirs):
        ours, others = sorted(set(own) - set(theirs)), sorted(set(theirs) - set(own))
        only = [f"only in the table: {', '.join(ours[:4])}"] if ours else []
        only += [f"only in the model: {', '.join(others[:4])}"] if others else []
        raise UsageError(f"{model} has other keypoints than the table; {'; '.join(only)}")
    edges = tuple((own.index(theirs[a]), own.index(theirs[b])) for a, b in card.skeleton.edges)
    return info.with_(card=info.card.with_(skeleton=Skeleton(own, edges)))


def as_card_of_run(own: ModelCard, card: ModelCard) -> ModelCard | None:
    """The card of the run that wrote a table with these names, as far as the table holds what it names.

    A format may have no place for all of it: a SLEAP CSV has only the animals that were found, a table of a single animal has
    unique keypoints among the others, and COCO's results have no names. None: nothing of the run's card fits.
    """
    points = card.skeleton.keypoints
    if own.multi_animal and _names(own) == _names(card):
        return card
    if not own.multi_animal and own.skeleton.keypoints == points and not card.unique_keypoints:
        named = own.individuals != _UNNAMED  # NWB has a subject, also in a single-animal project
        return card.with_(individuals=own.individuals if named else card.individuals[:1])
    if own.skeleton.keypoints[: len(points)] == points:
        return own.with_(skeleton=Skeleton(own.skeleton.keypoints, card.skeleton.edges), scorer=card.scorer)
    return None


def _names(card: ModelCard) -> tuple[tuple[str, ...], ...]:
    return card.skeleton.keypoints, card.individuals, card.unique_keypoints
