"""The sink that keeps the frames that are worth labelling."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from dlclive_core import (
    DataError,
    Estimate,
    ModelCard,
    OutputExistsError,
    RunInfo,
    Sink,
    UsageError,
    check_number,
    check_whole,
)
from dlclive_io.outliers.frame_folder import TABLE, FrameFolder, make_folder
from dlclive_io.outliers.judge import Judge
from dlclive_io.outliers.kept_frame import KeptFrame
from dlclive_io.outliers.outlier_table import table_text
from dlclive_io.outliers.spread import Spread
from dlclive_io.output_file import OutputFile, reason

MARK = "mark"
"""Whoever creates a file of this name in the folder marks a frame."""

_MOST = 10_000
_HELD = 1.0  # seconds that the newest frame waits for a worse one: at most one picture a second is encoded, and lost by a kill
_LOOK = 0.05  # seconds between two looks for the file that marks a frame


class OutlierFrames(Sink):
    """Keeps the frames in which the model is unsure or a keypoint jumps, and those that the user marks, for labelling.

    At most `max_frames`, spread over the whole run however long it is: the worst frame of each stretch of time (see `Spread`;
    for the scores, `Judge`). Judged, and kept with the picture, is the pose of the model, before processors. Pictures are
    PNG, as the source gave them. `dlclive outliers` puts them into a DeepLabCut project.

    A frame is marked by `mark()`, by the key `m` in the window of the sink `display`, or by a file called `mark` in the
    folder (`touch out/outliers/mark`): it is the next one that comes, and is kept in preference to those that are not marked.

    The folder is consistent at every moment; a killed process loses the last second. At most one picture a second is
    encoded, in the sink's thread: on a disk that is too slow, frames of a live source are not judged, and count as dropped.

    Args:
        path: a folder; created if missing, in one that exists.
        max_frames: the largest number of frames that are kept, at any moment.
        min_confidence: frames with a keypoint below it are candidates; 0: none is for this reason.
        max_speed: frames with a keypoint faster than this, in px/s, are candidates; by default, none is.
        keypoints: the names of the keypoints that are looked at; by default all.
        min_distance: seconds between two frames; a marked one may be nearer.
        overwrite: remove the frames that an earlier run left in the folder.
    """

    def __init__(
        self,
        path: Path,
        max_frames: int = 50,
        min_confidence: float = 0.6,
        max_speed: float | None = None,
        keypoints: Sequence[str] = (),
        min_distance: float = 1.0,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        if isinstance(keypoints, str):
            raise UsageError(f"keypoints is a list of names, [{keypoints}], not one name")
        self._most = check_whole("max_frames", max_frames, least=1, most=_MOST)
        self._distance = check_number("min_distance", min_distance, least=0.001)
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        self._max_speed = None if max_speed is None else check_number("max_speed", max_speed, above=0)
        self._keypoints = tuple(keypoints)
        self._overwrite = overwrite
        self._table = OutputFile(self.path / TABLE, (".csv",), overwrite=overwrite)
        self._folder = FrameFolder(self.path)
        self._is_open = self._is_finished = self._made_folder = False
        self._marks = 0
        self._seen_marks = self._seen_in_run = 0
        self._counts: Counter[str] = Counter()
        self._spread: Spread[KeptFrame] = Spread(self._most, self._distance, self._drop)
        self._waiting: KeptFrame | None = None
        self._waits_since = 0.0
        self._last = -1
        self._looked = -math.inf

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The table of the frames; its `.part` if the run did not finish."""
        return self._table.outputs

    @property
    def statistics(self) -> Mapping[str, float]:
        """`kept`: frames in the folder; `uncertain`, `jump`: frames that were candidates for this reason; `marked`."""
        return {"kept": self._kept, **{name: self._counts[name] for name in ("uncertain", "jump", "marked")}}

    def mark(self) -> None:
        """Mark the next frame that comes. Any thread may call it."""
        self._marks += 1

    def check(self, card: ModelCard) -> None:
        """Raise UsageError for a keypoint that the model does not have."""
        self._judge_of(card)

    def open(self, run: RunInfo) -> None:
        """Create the folder. Raises OutputExistsError, DataError, UsageError."""
        self._reset()
        self._judge, self._run = self._judge_of(run.card), run
        self._seen_in_run = run.marks.count
        self._made_folder = not self.path.exists()
        make_folder(self.path)
        if self._folder.is_used and not self._overwrite:
            raise OutputExistsError(
                f"{self.path} has the frames of an earlier run: put them into a project with `dlclive outliers`, choose "
                "another folder, or use overwrite (--overwrite)"
            )
        self._table.begin()
        try:
            self._folder.clear()
            self._table.path.unlink(missing_ok=True)  # of an earlier run: `begin` has refused it without overwrite
            (self.path / MARK).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"cannot write into {self.path}: {reason(error)}") from error
        options = {
            "max_frames": self._most,
            "min_confidence": self._min_confidence,
            "max_speed": self._max_speed,
            "keypoints": self._keypoints,
            "min_distance": self._distance,
        }
        self._folder.begin(run, options)
        self._is_open, self._is_finished = True, False

    def write(self, estimate: Estimate) -> None:
        """Judge a frame, and keep it if it is worse than its neighbours. Raises DataError."""
        if not self._is_open:
            raise DataError(f"{self.path} is not open: call open() first")
        self._last = max(self._last, estimate.frame.index)
        pose = estimate.pose if estimate.model_pose is None else estimate.model_pose
        seconds = self._run.since_start(estimate.frame)
        if not math.isfinite(seconds):  # nobody knows when the frame was captured; when it came is near enough
            seconds = time.perf_counter() - self._run.started_clock
        score, why = self._judge.judge(pose, seconds)
        self._counts.update([why] if why else [])
        marked = self._is_marked()
        if (why or marked) and self._spread.takes(seconds, score, urgent=marked):
            waiting = self._waiting
            self._waiting = kept = KeptFrame(
                frame=estimate.frame.index,
                seconds=seconds,
                wall_time=self._wall_time(seconds),
                reason="marked" if marked else why,
                score=score,
                pose=pose,
                image=estimate.frame.image,
            )
            self._spread.add(seconds, score, kept, urgent=marked)
            if marked and self._waiting is kept:
                self._run.marks.add_kept()
            if waiting is None or waiting.image is not None:  # else it takes the place of one that waited
                self._waits_since = time.monotonic()
            self._settle(waiting)
        if self._waiting is not None and time.monotonic() - self._waits_since > _HELD:
            self._settle_newest()

    def finish(self) -> None:
        """Write the last frame, and the table."""
        self._settle_newest()
        self._folder.end(self._last + 1)
        text = table_text(self._spread.items)
        with self._table.errors():
            self._table.part.write_text(text, encoding="utf-8", newline="")
        self._table.commit()
        self._is_finished = True

    def close(self) -> None:
        """Write the last frame, if `finish` did not, and let go of the folder; one without a frame is as before `open`."""
        is_empty, is_unfinished = self._last < 0, self._is_open and not self._is_finished
        try:
            if self._is_open:
                self._settle_newest()
            if is_unfinished and is_empty:
                self._folder.clear()
        except OSError as error:
            raise DataError(f"cannot write into {self.path}: {reason(error)}") from error
        finally:
            self._is_open = False
            self._table.release(is_empty=is_empty)
            if is_unfinished and is_empty and self._made_folder:
                with suppress(OSError):  # somebody has put something into it
                    self.path.rmdir()

    @property
    def _kept(self) -> int:
        return len(self._spread.items)

    def _reset(self) -> None:
        self._spread = Spread(self._most, self._distance, self._drop)
        self._waiting, self._waits_since = None, 0.0
        self._last = -1
        self._looked = -math.inf
        self._counts.clear()
        self._seen_marks, self._seen_in_run = self._marks, 0

    def _judge_of(self, card: ModelCard) -> Judge:
        return Judge(card.skeleton, self._keypoints, self._min_confidence, self._max_speed)

    def _wall_time(self, seconds: float) -> str:
        """Of a live source; a recording does not say when it was made."""
        return (
            (self._run.started_at + timedelta(seconds=seconds)).isoformat("T", "milliseconds")
            if self._run.is_live
            else ""
        )

    def _is_marked(self) -> bool:
        """Whether somebody has marked a frame since the last one."""
        now, marks, in_run = time.monotonic(), self._marks, self._run.marks.count
        marked = (marks, in_run) != (self._seen_marks, self._seen_in_run)
        self._seen_marks, self._seen_in_run = marks, in_run
        if now - self._looked >= _LOOK:
            self._looked = now
            with suppress(OSError):
                (self.path / MARK).unlink()
                marked = True
        self._counts["marked"] += marked
        return marked

    def _settle_newest(self) -> None:
        waiting, self._waiting = self._waiting, None
        self._settle(waiting)

    def _settle(self, kept: KeptFrame | None) -> None:
        """Write a frame that waited for a worse one, unless that came."""
        if kept is not None and kept.image is not None:
            self._folder.write(kept)

    def _drop(self, kept: KeptFrame) -> None:
        if kept.image is None:
            self._folder.remove(kept)
        kept.image = None
        if kept is self._waiting:
            self._waiting = None
