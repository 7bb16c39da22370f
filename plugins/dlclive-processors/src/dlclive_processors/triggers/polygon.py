"""A polygon in the image, and which points lie in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError


class Polygon:
    """A simple polygon, convex or not.

    A point lies inside if a ray from it to the right crosses the outline an odd number of times (the even-odd rule:
    M. Shimrat, Algorithm 112: Position of point relative to polygon, Comm. ACM 5 (1962) 434). Which side of an edge a
    point is on is the sign of a cross product taken from the edge's upper end, so that

    - a point on the outline belongs to the region whose left or upper edge it is on, not to the one whose right or
      lower edge it is on: a rectangle is x0 <= x < x1, y0 <= y < y1;
    - a point on an edge that two regions share is in exactly one of them, whatever the rounding.

    Args:
        corners: at least three (x, y) in px of the full frame, in order around the region, clockwise or not. The first
            may be repeated at the end.

    Raises:
        UsageError: too few corners, a corner that is not two finite numbers, no area, or crossing edges.
    """

    def __init__(self, corners: Sequence[Sequence[float]]) -> None:
        points = [_point(corner, number) for number, corner in enumerate(corners, start=1)]
        points = [point for point, before in zip(points, points[-1:] + points[:-1], strict=True) if point != before]
        if len(points) < 3:
            raise UsageError(f"the polygon has {len(points)} different corners in a row; give at least 3 as [x, y]")
        self.corners = np.array(points, dtype=np.float64)
        _refuse_crossings(points)
        width, height = np.ptp(self.corners, axis=0)
        if abs(_area(self.corners)) <= 1e-9 * width * height:
            raise UsageError("the corners of the polygon lie on a line; give corners around an area")
        start, end = self.corners, np.roll(self.corners, -1, axis=0)
        upward = (start[:, 1] > end[:, 1])[:, None]
        self._upper, self._lower = np.where(upward, end, start), np.where(upward, start, end)
        self._run = self._lower - self._upper  # (E, 2), y never negative
        self._edges = tuple(
            zip(
                map(tuple, self._upper.tolist()),
                map(tuple, self._run.tolist()),
                self._lower[:, 1].tolist(),
                strict=True,
            )
        )

    def contains(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which points lie inside.

        Args:
            points: (M, 2) x, y in px; NaN and infinite points are never inside.

        Returns:
            (M,) bool.
        """
        finite = np.isfinite(points).all(axis=1)
        x, y = np.where(finite[:, None], points, 0.0).astype(np.float64).T[..., None]  # (M, 1) each
        spans = (self._upper[:, 1] <= y) & (y < self._lower[:, 1])
        left_of = (x - self._upper[:, 0]) * self._run[:, 1] < (y - self._upper[:, 1]) * self._run[:, 0]
        crossings: NDArray[np.intp] = (spans & left_of).sum(axis=1)
        inside: NDArray[np.bool_] = finite & (crossings % 2 == 1)
        return inside

    def holds_point(self, x: float, y: float) -> bool:
        """Whether one point, which must be finite, lies inside: as `contains`, faster for a single one."""
        inside = False
        for (upper_x, upper_y), (run_x, run_y), lower_y in self._edges:
            if upper_y <= y < lower_y and (x - upper_x) * run_y < (y - upper_y) * run_x:
                inside = not inside
        return inside


def _point(corner: Sequence[float], number: int) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in corner)
    except (TypeError, ValueError):
        raise UsageError(f"corner {number} of the polygon is {corner!r}; give [x, y] in pixels") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise UsageError(f"corner {number} of the polygon is {corner!r}; give finite numbers")
    return x, y


def _area(corners: NDArray[np.float64]) -> float:
    """The shoelace formula, relative to a corner, so that precision does not depend on the distance to the origin."""
    x, y = (corners - corners[0]).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2.0


def _refuse_crossings(points: list[tuple[float, float]]) -> None:
    edges = [(number, points[number], points[(number + 1) % len(points)]) for number in range(len(points))]
    for (first, a, b), (second, c, d) in combinations(edges, 2):
        if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
            raise UsageError(
                f"the polygon's edge after corner {first + 1} crosses the one after corner {second + 1}; "
                "give the corners in order around the region"
            )


def _side(a: tuple[float, float], b: tuple[float, float], point: tuple[float, float]) -> float:
    """Sign of the side of the line from a to b on which the point lies; 0 on the line."""
    cross = (b[0] - a[0]) * (point[1] - a[1]) - (point[0] - a[0]) * (b[1] - a[1])
    return math.copysign(1.0, cross) if cross else 0.0
