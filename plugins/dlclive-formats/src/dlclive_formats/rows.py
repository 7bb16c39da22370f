"""What several formats need of a recording: rows without gaps, times, and the values of a missing keypoint."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, RecordingInfo

BLOCK = 256
"""Frames of a block."""

_BYTES = 32 << 20

MOST_EMPTY_FRAMES = 1_000_000
"""In one file that has a row for each frame: almost three hours at 100 frames/s."""


def frames_at_once(info: RecordingInfo) -> int:
    """Frames of a block: `BLOCK`, fewer where there are many keypoints, so that a block stays below 32 MB.

    A thousand names of animals and of keypoints fit into a small file, and make 24 MB a frame.
    """
    card = info.card
    points = len(card.individuals) * len(card.skeleton) + len(card.unique_keypoints)
    return max(1, min(BLOCK, _BYTES // max(1, 8 * points * (info.dimensions + 1))))


def dense_blocks(recording: PoseRecording) -> Iterator[PoseRows]:
    """The frames of a recording, with those that are missing in it: from 0 to `frame_count`, none left out.

    A missing frame has NaN in positions and time, and confidence 0.

    Raises:
        DataError: more than a million frames are missing: a counter that jumped must not fill the disk.
    """
    following, left, step = 0, MOST_EMPTY_FRAMES, frames_at_once(recording.info)
    for rows in recording.blocks():
        if not len(rows):
            continue
        end = int(rows.numbers[-1]) + 1
        left = _left(left, end - following - len(rows), end)
        if end - following == len(rows):
            yield rows
        else:
            yield from _filled(rows, following, step)
        following = end
    _left(left, recording.frame_count - following, recording.frame_count)
    for first in range(following, recording.frame_count, step):
        numbers = np.arange(first, min(first + step, recording.frame_count), dtype=np.int64)
        yield empty_rows(numbers, recording.info)


def _left(left: int, missing: int, end: int) -> int:
    """How many more frames may be missing. Raises DataError."""
    if missing > left:
        raise DataError(
            f"more than {MOST_EMPTY_FRAMES} frames are missing, up to frame {end - 1}, and this format has a row for each; "
            "write .csv or .parquet, or check the source's counter"
        )
    return left - missing


def empty_rows(numbers: NDArray[np.int64], info: RecordingInfo) -> PoseRows:
    """Rows in which all keypoints are missing."""
    columns, card = info.dimensions + 1, info.card
    keypoints = np.full((len(numbers), len(card.individuals), len(card.skeleton), columns), np.nan)
    unique = np.full((len(numbers), len(card.unique_keypoints), columns), np.nan)
    keypoints[..., -1] = unique[..., -1] = 0.0
    return PoseRows(numbers, np.full(len(numbers), np.nan), keypoints, unique)


def times(rows: PoseRows, info: RecordingInfo) -> NDArray[np.float64]:
    """(n,) seconds of the rows: their own, or where they have none, the frame's number divided by the declared rate.

    NaN where neither is known.
    """
    if not info.fps:
        return rows.seconds
    return np.where(np.isfinite(rows.seconds), rows.seconds, rows.numbers / info.fps)


def _filled(rows: PoseRows, start: int, step: int) -> Iterator[PoseRows]:
    """The rows with all missing numbers from `start` on, in blocks."""
    end = int(rows.numbers[-1]) + 1
    for first in range(start, end, step):
        last = min(first + step, end)
        numbers = np.arange(first, last, dtype=np.int64)
        inside = (rows.numbers >= first) & (rows.numbers < last)
        at = rows.numbers[inside] - first
        seconds = np.full(len(numbers), np.nan)
        seconds[at] = rows.seconds[inside]
        keypoints, unique = (_missing(len(numbers), array) for array in (rows.keypoints, rows.unique))
        keypoints[at], unique[at] = rows.keypoints[inside], rows.unique[inside]
        yield PoseRows(numbers, seconds, keypoints, unique)


def _missing(count: int, like: NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.full((count, *like.shape[1:]), np.nan)
    array[..., -1] = 0.0
    return array
