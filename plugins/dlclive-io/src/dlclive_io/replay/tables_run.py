"""A recorded run without a replay record: poses from a table, times from a table of timestamps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    Frame,
    Pose,
    RecordedFrame,
    RecordedRun,
    RecordedTime,
    RunInfo,
    TimesInOrder,
    black_image,
    read_times,
)
from dlclive_io.replay.table_rows import table_rows
from dlclive_io.tables.table_layout import TableLayout

_SIZE = (480, 640)  # of the black images, where the run does not tell


class TablesRun(RecordedRun):
    """The poses of a DeepLabCut table of a run, at the times of its timestamps.

    Args:
        table: written by the sink `tables`, `.h5` or `.csv`.
        times: written by the sink `timestamps` or `recording`; None: frames come at the declared rate.
        run: what `run.json` says of the run; its clock begins at 0.

    Raises:
        DataError: there are neither timestamps nor a rate.
    """

    def __init__(self, table: Path, times: Path | None, run: RunInfo) -> None:
        if times is None and not run.fps:
            raise DataError(
                f"{table} has no times: the run has no table of timestamps, and its source declares no rate"
            )
        self._table, self._times = table, times
        self.run = replace(run, started_clock=0.0)
        self._untimed = 0
        self.inexact = (
            f"poses are those of {table.name}: what the run's processors returned, not what the model returned",
            *(
                (f"times are those of {times.name}, in which a pose is as old as after the processors",)
                if times is not None and run.is_live
                else (f"no table of timestamps: frames are taken to come at {run.fps:g} per second",)
                if times is None
                else ()
            ),
            *(("names that a tracker gave, and boxes, are in no table",) if run.card.multi_animal else ()),
        )

    @property
    def damage(self) -> str:
        """How many frames had no time."""
        return f"{self._untimed} frames have no row in {self._times.name}" if self._untimed and self._times else ""

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the frames that have a row with values and a time."""
        self._untimed = 0
        layout = TableLayout(self.run.card)
        size = (self.run.frame_size or _SIZE[::-1])[::-1]
        image = black_image((*size, 3))
        times = None if self._times is None else TimesInOrder(read_times(self._times))
        for number, values in table_rows(self._table, layout):
            if np.isnan(values).all():  # a frame that was dropped
                continue
            time = self._declared(number) if times is None else times.of(number)
            if time is None:
                self._untimed += 1
                continue
            frame = Frame(image, number, time.captured_at, time.device_time, self.run.source)
            age = time.latency if self.run.is_live and time.latency is not None else 0.0
            yield RecordedFrame(frame, self._pose(values), time.captured_at + age)

    def _pose(self, values: NDArray[np.float32]) -> Pose:
        card = self.run.card
        animals, points = len(card.individuals) if card.multi_animal else 1, len(card.skeleton)
        end = 3 * animals * points
        unique = values[end:].reshape(-1, 3) if card.unique_keypoints else None
        return Pose(values[:end].reshape(animals, points, 3), card.skeleton, unique=unique)

    def _declared(self, number: int) -> RecordedTime:
        seconds = number / (self.run.fps or math.nan)
        return RecordedTime(number, seconds, None, None)
