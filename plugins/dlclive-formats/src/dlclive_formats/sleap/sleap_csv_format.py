"""The format SLEAP Analysis CSV."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from dlclive_core import PoseRecording, RecordingInfo, TableFormat, UsageError
from dlclive_formats.sleap.read_sleap_csv import (
    FRAME,
    INSTANCE,
    PARTS,
    SCORE,
    TRACK,
    UNNAMED,
    is_sleap_csv,
    read_sleap_csv,
)
from dlclive_formats.sleap.tracks import Tracks, check_flat, scores

SUFFIX = ".analysis.csv"
"""As SLEAP names them. `.csv` alone is DeepLabCut's table."""


class SleapCsvFormat(TableFormat):
    """SLEAP's CSV: one row for each animal in each frame in which it was found.

    The columns are track, frame_idx, instance.score, and x, y and score of each node. As in `SleapFormat`, positions are those
    of SLEAP's pixels. Frames and animals without a keypoint have no row; times, edges and the scorer have no place. The animal
    of a single-animal project has no track, as in SLEAP, so that it comes back as one.
    """

    def recognizes(self, path: Path) -> bool:
        """Whether the first line has the columns of SLEAP."""
        return is_sleap_csv(path)

    def read(self, path: Path) -> PoseRecording:
        """Open a table that is sorted by frame. Raises DataError."""
        return read_sleap_csv(path)

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError for poses in space, and for a keypoint whose columns would be those of the animal."""
        check_flat(info)
        if INSTANCE in (*info.card.skeleton.keypoints, *info.card.unique_keypoints):
            raise UsageError(f"a keypoint named {INSTANCE!r} has no place in SLEAP's CSV; write .analysis.h5")

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a recording. Raises DataError, OSError."""
        self.check(recording.info)
        tracks = Tracks(recording.info)
        names = ("",) if _is_unnamed(recording.info) else tracks.names
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow([TRACK, FRAME, SCORE, *(f"{node}.{part}" for node in tracks.nodes for part in PARTS)])
            for rows in recording.blocks():
                values = tracks.values(rows)
                means = scores(values)
                there = ~np.isnan(values[..., :2]).any(axis=-1).all(axis=-1)
                for row, track in np.argwhere(there):
                    cells = [_cell(value) for value in values[row, track].ravel().tolist()]
                    table.writerow([names[track], int(rows.numbers[row]), _cell(float(means[row, track])), *cells])
        return (path,)


def _is_unnamed(info: RecordingInfo) -> bool:
    """Whether there is a single animal, which nobody has named."""
    card = info.card
    return not card.multi_animal and card.individuals == (UNNAMED,) and not card.unique_keypoints


def _cell(value: float) -> str:
    return "" if math.isnan(value) else repr(value)
