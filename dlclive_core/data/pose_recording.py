"""Finished poses of a video or a run, as formats of tables read and write them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.card import ModelCard


@dataclass(frozen=True, slots=True)
class PoseRows:
    """Some successive frames of a recording.

    Coordinates are those of a `Pose`: pixels of the full frame, in which the centre of the top left pixel is (0.5, 0.5). They
    are float64, so that a table in double precision comes through unchanged. A missing keypoint is NaN in all coordinates,
    with confidence 0 (or NaN, where a table says so).

    Attributes:
        numbers: (n,) int64 frame numbers, from 0, increasing; a number that is missing is a frame without a pose.
        seconds: (n,) float64 capture times from the start of the recording; NaN where unknown.
        keypoints: (n, N, K, D + 1) float64: positions and confidence of the card's N individuals with K keypoints each.
        unique: (n, U, D + 1) float64: the same of the keypoints that exist once in the scene; U may be 0.
    """

    numbers: NDArray[np.int64]
    seconds: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    unique: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.numbers)

    def flat(self) -> NDArray[np.float64]:
        """(n, (N K + U) (D + 1)) values of a flat table, in the order of `split_rows`."""
        count = len(self)
        parts = [array.reshape(count, math.prod(array.shape[1:])) for array in (self.keypoints, self.unique)]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingInfo:
    """What is known of a recording.

    Attributes:
        card: names and skeleton: `card.skeleton`, `card.individuals`, `card.multi_animal`, `card.unique_keypoints`,
            `card.scorer`.
        source: the video or camera; "" if unknown.
        frame_size: (width, height) in pixels, if known.
        fps: frames per second, if the file or the source declares it. True times are in `PoseRows.seconds`.
        has_times: whether `PoseRows.seconds` holds the time of each frame; if not, frame n is at n / fps, where fps is known.
        started_at: wall time of second 0, with time zone, if known.
        dimensions, unit: of the positions: 2 and "px", or 3 and the unit of the calibration.
    """

    card: ModelCard
    source: str = ""
    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    has_times: bool = False
    started_at: datetime | None = None
    dimensions: int = 2
    unit: str = "px"

    def with_(self, **changes: object) -> RecordingInfo:
        """A copy with some facts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class PoseRecording(ABC):
    """Finished poses, read in blocks, so that memory does not grow with the recording.

    Attributes:
        info: what is known of it.
        frame_count: number of frames up to the last one, with or without a pose.
    """

    info: RecordingInfo
    frame_count: int

    @abstractmethod
    def blocks(self) -> Iterator[PoseRows]:
        """Yield the frames in order, in blocks of at most some hundred; each call begins anew.

        Raises:
            DataError: the file cannot be read further.
        """

    @property
    def damage(self) -> str:
        """What could not be read by the last `blocks`, in one line; empty if there was nothing."""
        return ""


class ReadRecording(PoseRecording):
    """A recording whose blocks a function reads.

    Args:
        info, frame_count: see `PoseRecording`.
        read: makes an iterator over the blocks; called by each `blocks`.
    """

    def __init__(self, info: RecordingInfo, frame_count: int, read: Callable[[], Iterator[PoseRows]]) -> None:
        self.info, self.frame_count, self._read = info, frame_count, read

    def blocks(self) -> Iterator[PoseRows]:
        """Yield the frames in order. Raises DataError."""
        return self._read()


def split_rows(
    numbers: NDArray[np.int64], seconds: NDArray[np.float64] | None, values: NDArray[np.float64], info: RecordingInfo
) -> PoseRows:
    """The rows of a flat table as `PoseRows`.

    Args:
        numbers: (n,) frame numbers.
        seconds: (n,) times; None: unknown.
        values: (n, (N K + U) (D + 1)): individual by individual, keypoint by keypoint, then the unique keypoints.
    """
    count, columns = len(numbers), info.dimensions + 1
    animals, points, unique = len(info.card.individuals), len(info.card.skeleton), len(info.card.unique_keypoints)
    end = animals * points * columns
    return PoseRows(
        numbers,
        np.full(count, np.nan) if seconds is None else seconds,
        values[:, :end].reshape(count, animals, points, columns),
        values[:, end:].reshape(count, unique, columns),
    )
