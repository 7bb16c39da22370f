"""Positions in space from what calibrated cameras see, for many points at once.

A first position is the linear one: each view gives two linear equations in X, weighted by its confidence, and their normal
equations are solved (Hartley and Zisserman 2004, Multiple View Geometry, 12.2, the inhomogeneous method: no point of a
laboratory is at infinity). It minimises nothing that can be seen, so a few steps of Gauss and Newton then minimise the
reprojection error, the distance in pixels between the projections and what the cameras saw, through the lens (12.3 and
appendix 6 there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlclive_core.views.camera import PIXEL_CENTRE, CalibratedCamera
from dlclive_core.views.lens import Floats, Lenses

_STEPS = 4
_SMALL_STEP = 1e-5  # of the distance to the camera; the step after it would be its square
_DOUBTFUL = 0.5  # of the largest error: from here on a view may be left out, if that makes the error so much smaller
_MUCH_SMALLER = 3.0
_PARALLEL = 1e-10  # of the normal equations' determinant: rays at an angle of some 1e-5 rad


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted. See `MultiViewRig`."""

    min_views: int = 2
    max_error: float = 10.0
    min_confidence: float = 0.6


class Points(NamedTuple):
    """M points. Those that are missing have NaN, confidence 0, no error and no views.

    Attributes:
        positions: (M, 3) in the unit of the calibration.
        confidence: (M,) the lowest of the views used.
        error: (M,) px, root mean square of the distances in the views used.
        views: (M,) how many were used.
        few: how many points too few cameras saw.
        off: how many had a position, but too large an error.
        left_out: in how many points a view contradicted the others and was left out.
    """

    positions: Floats
    confidence: Floats
    error: Floats
    views: NDArray[np.intp]
    few: int
    off: int
    left_out: int


class Triangulation:
    """Positions from the views of V cameras.

    Args:
        cameras: V of them.
        limits: what is accepted.
    """

    def __init__(self, cameras: Sequence[CalibratedCamera], limits: Limits | None = None) -> None:
        self.cameras = tuple(cameras)
        self.limits = limits or Limits()
        self.lenses = Lenses([camera.distortion.tolist() for camera in cameras], [camera.fisheye for camera in cameras])
        matrices = np.array([camera.matrix for camera in cameras])
        self._focal: Floats = matrices[:, [0, 1], [0, 1]].T[:, :, None]  # (2, V, 1)
        self._centre: Floats = matrices[:, :2, 2].T[:, :, None]
        self._rotation: Floats = np.array([camera.rotation for camera in cameras])  # (V, 3, 3)
        self._translation: Floats = np.array([camera.translation for camera in cameras])[:, :, None]  # (V, 3, 1)

    def straighten(self, pixels: Floats) -> Floats:
        """(2, V, M) normalised coordinates of (V, M, 2) pixels; NaN for pixels that are NaN or out of the lens's reach."""
        bent = (np.moveaxis(pixels, -1, 0) - PIXEL_CENTRE - self._centre) / self._focal
        return np.stack(self.lenses.straighten(bent[0], bent[1]))

    def locate(self, pixels: Floats, confidence: Floats) -> Points:
        """Triangulate M points.

        Args:
            pixels: (V, M, 2) as in poses; NaN for what a camera has not seen.
            confidence: (V, M) 0..1; anything that is not a number counts as 0.
        """
        with np.errstate(all="ignore"):
            confidence = np.where(confidence >= self.limits.min_confidence, np.minimum(confidence, 1.0), 0.0)
            rays = self.straighten(np.where(np.abs(pixels) < 1e7, pixels, np.nan))
            weights = np.where(np.isfinite(rays).all(axis=0), confidence, 0.0)
            seen = _Seen(np.moveaxis(pixels, -1, 0) - PIXEL_CENTRE, np.where(weights > 0, rays, 0.0), weights)
            seen = seen._replace(pixels=np.where(weights > 0, seen.pixels, 0.0))
            return self._accepted(*self._consistent(seen))

    def _consistent(self, seen: _Seen) -> tuple[_Seen, _Solution, int]:
        """Solve, and leave out the view that contradicts, again and again, while more than two and `min_views` are there.

        A wrong view spoils the position long before the error, which the other views share, is too large.
        """
        solution = self._solve(seen)
        enough = max(2, self.limits.min_views)
        left_out = 0
        for _ in range(len(self.cameras) - enough):
            views = (seen.weights > 0).sum(axis=0)
            doubtful = np.flatnonzero((views > enough) & ~(solution.error <= _DOUBTFUL * self.limits.max_error))
            if not len(doubtful):
                break
            seen, solution, better = self._without_one(seen, solution, doubtful)
            left_out += better
        return seen, solution, left_out

    def _without_one(
        self, seen: _Seen, solution: _Solution, doubtful: NDArray[np.intp]
    ) -> tuple[_Seen, _Solution, int]:
        """Leave one view out of each doubtful point: the one without which the others agree best."""
        count, points = len(self.cameras), len(doubtful)
        part = seen.at(np.tile(doubtful, count))  # (V, V * points): trial v of a point is without view v
        without = np.repeat(np.arange(count), points)
        weights = part.weights.copy()
        was_seen = weights[without, np.arange(count * points)] > 0
        weights[without, np.arange(count * points)] = 0.0
        trials = self._solve(part._replace(weights=weights))
        error = np.where(was_seen & np.isfinite(trials.error), trials.error, np.inf).reshape(count, points)
        best = error.argmin(axis=0)
        before = np.where(np.isfinite(solution.error[doubtful]), solution.error[doubtful], np.inf)
        needed = np.where(before > self.limits.max_error, before, before / _MUCH_SMALLER)
        is_better = error.min(axis=0) < needed
        best, doubtful, chosen = best[is_better], doubtful[is_better], (best * points + np.arange(points))[is_better]
        all_weights, positions, errors = seen.weights.copy(), solution.positions.copy(), solution.error.copy()
        all_weights[best, doubtful] = 0.0
        positions[:, doubtful], errors[doubtful] = trials.positions[:, chosen], trials.error[chosen]
        return seen._replace(weights=all_weights), _Solution(positions, errors), len(doubtful)

    def _accepted(self, seen: _Seen, solution: _Solution, left_out: int) -> Points:
        used = seen.weights > 0
        views = used.sum(axis=0)
        is_seen = views >= self.limits.min_views
        good = is_seen & (solution.error <= self.limits.max_error)
        confidence = np.where(used, seen.weights, np.inf).min(axis=0, initial=np.inf)
        return Points(
            positions=np.where(good, solution.positions, np.nan).T,
            confidence=np.where(good, confidence, 0.0),
            error=np.where(good, solution.error, np.nan),
            views=np.where(good, views, 0),
            few=int((~is_seen).sum()),
            off=int((is_seen & ~good).sum()),
            left_out=left_out,
        )

    # ---- solutions

    def _solve(self, seen: _Seen) -> _Solution:
        """Positions that minimise the reprojection error; NaN without two views at an angle, or behind a camera."""
        positions = self._linear(seen)
        for _ in range(_STEPS):
            step, depth = self._step(seen, positions)
            positions = positions + step
            if not (np.abs(step).max(axis=0) > _SMALL_STEP * depth).any():
                break
        return _Solution(positions, self._error(seen, positions))

    def _linear(self, seen: _Seen) -> Floats:
        rotation, translation = self._rotation, self._translation
        rows, values = [], []
        for axis, ray in enumerate(seen.rays):  # w (x r3 - r1) X = w (t1 - x t3), and with y the same
            rows.append(seen.weights[:, :, None] * (ray[:, :, None] * rotation[:, None, 2] - rotation[:, None, axis]))
            values.append(seen.weights * (translation[:, axis] - ray * translation[:, 2]))
        return _least_squares(np.concatenate(rows), np.concatenate(values))[0]

    def _step(self, seen: _Seen, positions: Floats) -> tuple[Floats, Floats]:
        """A step of Gauss and Newton, (3, M), and (M,) the depth of the point in the nearest camera that sees it."""
        x, y, depth = self._normalised(positions)
        bent = self.lenses.bend(x, y)
        focal, weights = self._focal, seen.weights
        miss_u = weights * (seen.pixels[0] - focal[0] * bent.x - self._centre[0])
        miss_v = weights * (seen.pixels[1] - focal[1] * bent.y - self._centre[1])
        scale = weights / depth
        last = self._rotation[:, None, 2]
        along_x = self._rotation[:, None, 0] - x[:, :, None] * last  # d x / d X times the depth
        along_y = self._rotation[:, None, 1] - y[:, :, None] * last
        scale_u, scale_v = scale * focal[0], scale * focal[1]
        rows_u = (scale_u * bent.dxx)[:, :, None] * along_x + (scale_u * bent.dxy)[:, :, None] * along_y
        rows_v = (scale_v * bent.dxy)[:, :, None] * along_x + (scale_v * bent.dyy)[:, :, None] * along_y
        step, _ = _least_squares(np.concatenate([rows_u, rows_v]), np.concatenate([miss_u, miss_v]))
        return step, np.where(weights > 0, depth, np.inf).min(axis=0, initial=np.inf)

    def _error(self, seen: _Seen, positions: Floats) -> Floats:
        """(M,) root mean square distance [px] in the views that are used; NaN behind one of them."""
        x, y, depth = self._normalised(positions)
        bent = self.lenses.bend(x, y)
        miss_u = seen.pixels[0] - self._focal[0] * bent.x - self._centre[0]
        miss_v = seen.pixels[1] - self._focal[1] * bent.y - self._centre[1]
        used = seen.weights > 0
        squares = np.where(used, miss_u * miss_u + miss_v * miss_v, 0.0).sum(axis=0)
        is_ahead = np.where(used, depth > 0, True).all(axis=0)
        error: Floats = np.where(is_ahead, np.sqrt(squares / used.sum(axis=0)), np.nan)
        return error

    def _normalised(self, positions: Floats) -> tuple[Floats, Floats, Floats]:
        """(V, M) x, y, depth of (3, M) positions in each camera."""
        inside = self._rotation @ positions + self._translation
        depth = inside[:, 2]
        return inside[:, 0] / depth, inside[:, 1] / depth, depth


class _Seen(NamedTuple):
    """What V cameras saw of M points; where the weight is 0, the other values are 0.

    Attributes:
        pixels: (2, V, M) with OpenCV's origin.
        rays: (2, V, M) normalised.
        weights: (V, M).
    """

    pixels: Floats
    rays: Floats
    weights: Floats

    def at(self, points: NDArray[np.intp]) -> _Seen:
        return _Seen(self.pixels[:, :, points], self.rays[:, :, points], self.weights[:, points])


class _Solution(NamedTuple):
    """(3, M) positions and (M,) errors [px]."""

    positions: Floats
    error: Floats


def _least_squares(rows: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Solve M problems of three unknowns by their normal equations and Cramer's rule.

    Args:
        rows, values: (R, M, 3) and (R, M).

    Returns:
        (3, M) solutions, NaN where the rows do not determine one, and (M,) the determinant relative to the trace.
    """
    turned = rows.transpose(1, 2, 0)  # (M, 3, R)
    normal = turned @ rows.transpose(1, 0, 2)
    right = (turned @ values.T[:, :, None])[:, :, 0]
    (a, b, c), (_, d, e), (_, _, f) = normal.transpose(1, 2, 0)
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * bb + c * cc
    relative = determinant / ((a + d + f) / 3) ** 3
    determinant = np.where(relative > _PARALLEL, determinant, np.nan)
    p, q, r = right.T
    solution = np.stack([aa * p + bb * q + cc * r, bb * p + dd * q + ee * r, cc * p + ee * q + ff * r])
    return solution / determinant, relative


def with_camera(triangulation: Triangulation, number: int, camera: CalibratedCamera) -> Triangulation:
    """The same with another camera in this place."""
    cameras = list(triangulation.cameras)
    cameras[number] = camera
    return Triangulation(cameras, replace(triangulation.limits))
