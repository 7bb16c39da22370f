"""Keypoints as lists of numbers in JSON, in which the centre of the top left pixel is (0, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF = 0.5
"""Added to positions that are counted from the centre of the top left pixel, gives ours."""


def found(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(K,) which of (K, 3) keypoints have a position."""
    return np.isfinite(points[:, 0]) & np.isfinite(points[:, 1])


def triples(points: NDArray[np.float64], third: NDArray[np.float64]) -> list[float]:
    """x, y and a third value of each of (K, 3) keypoints, one after the other; 0, 0, 0 for one that was not found."""
    values = np.column_stack((points[:, :2] - HALF, third))
    values[~found(points)] = 0.0
    flat: list[float] = values.ravel().tolist()
    return flat


def read_triples(values: Any) -> NDArray[np.float64]:
    """(K, 3) positions of ours and third values. Raises ValueError if it is not a list of numbers, three for each keypoint."""
    if not isinstance(values, list) or len(values) % 3:
        raise ValueError("keypoints are not lists of x, y and a third number")
    try:
        points = np.array(values, np.float64).reshape(-1, 3)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("keypoints are not numbers") from None
    points[:, :2] += HALF
    return points


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number that a float can hold; NaN is one."""
    return type(value) is float or (type(value) is int and abs(value) < 1 << 1000)


def missing(count: int) -> NDArray[np.float64]:
    """(count, 3) keypoints that were not found."""
    points = np.full((count, 3), np.nan)
    points[:, 2] = 0.0
    return points
