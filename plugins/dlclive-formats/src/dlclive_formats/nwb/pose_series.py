"""One PoseEstimationSeries of a file: a keypoint's positions, confidence and times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dlclive_io import hdf5_nodes
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_formats.nwb.no_pose import marks_missing_poses


@dataclass(frozen=True, slots=True)
class PoseSeries:
    """Arrays of a series in an open file.

    Attributes:
        data, confidence, timestamps: datasets; there may be no confidence, and a rate in place of timestamps.
        control: 1 for a frame without a pose, if dlclive wrote the file and there are such frames.
        scale, offset: positions are data * scale + offset.
    """

    data: Any
    confidence: Any
    timestamps: Any
    control: Any
    starting_time: float
    rate: float | None
    scale: float
    offset: float
    unit: str

    @property
    def count(self) -> int:
        """Frames."""
        return int(self.data.shape[0])

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return int(self.data.shape[1])

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """(n, D + 1) positions and confidence; NaN where there is no confidence, 0 where the keypoint is missing."""
        values = np.full((stop - start, self.dimensions + 1), np.nan)
        values[:, :-1] = hdf5_nodes.floats(self.data, start, stop)
        if (self.scale, self.offset) != (1.0, 0.0):
            values[:, :-1] = values[:, :-1] * self.scale + self.offset
        if self.confidence is not None:
            values[:, -1] = hdf5_nodes.floats(self.confidence, start, stop)
        else:
            values[np.isnan(values[:, :-1]).any(axis=1), -1] = 0.0
        return values

    def seconds(self, start: int, stop: int) -> NDArray[np.float64]:
        """(n,) times."""
        if self.timestamps is not None:
            return hdf5_nodes.floats(self.timestamps, start, stop)
        return np.arange(start, stop) / (self.rate or math.nan) + self.starting_time


def series_of(path: Path, group: Any, name: str) -> PoseSeries:
    """The arrays of a series, checked against each other. Raises DataError."""
    series = hdf5_nodes.subgroup(group, name)
    if series is None:
        raise DataError(f"{path} has no series {name}")
    data = hdf5_nodes.array(series, "data", (2,))
    if data is None or data.shape[1] not in (2, 3):
        raise DataError(f"{path}: the series {name} has no positions with two or three coordinates")
    confidence, timestamps, control = (
        hdf5_nodes.array(series, part, (1,)) for part in ("confidence", "timestamps", "control")
    )
    for part in (confidence, timestamps):
        if part is not None and part.shape != data.shape[:1]:
            raise DataError(
                f"{path}: the series {name} has {data.shape[0]} positions, but {part.shape[0]} of another kind"
            )
    start = hdf5_nodes.child(series, "starting_time")
    rate = hdf5_nodes.number_attribute(start, "rate", 0.0) if start is not None else 0.0
    if timestamps is None and not rate > 0:
        raise DataError(f"{path}: the series {name} has neither timestamps nor a rate")
    first = hdf5_nodes.array(series, "starting_time", (0,)) if start is not None else None
    return PoseSeries(
        data=data,
        confidence=confidence,
        timestamps=timestamps,
        control=control
        if control is not None and control.shape == data.shape[:1] and marks_missing_poses(series)
        else None,
        starting_time=float(first[()]) if first is not None else 0.0,
        rate=rate if timestamps is None else None,
        scale=hdf5_nodes.number_attribute(data, "conversion", 1.0),
        offset=hdf5_nodes.number_attribute(data, "offset", 0.0),
        unit=hdf5_nodes.attribute(data, "unit") or "pixels",
    )
