"""Lenses: what they do to a straight ray, and the way back. Several cameras at once, for arrays of points.

Coordinates are normalised: (x, y) = (X / Z, Y / Z) of a point (X, Y, Z) in the camera's own axes; the camera matrix makes
pixels of the distorted ones.

Brown-Conrady with rational terms, as OpenCV documents it ("Camera Calibration and 3D Reconstruction", detailed description of
the module calib3d), with r^2 = x^2 + y^2, f(r^2) = (1 + k1 r^2 + k2 r^4 + k3 r^6) / (1 + k4 r^2 + k5 r^4 + k6 r^6):

    x' = x f + 2 p1 x y + p2 (r^2 + 2 x^2)
    y' = y f + p1 (r^2 + 2 y^2) + 2 p2 x y

Fisheye (Kannala and Brandt 2006, "A generic camera model and calibration method for conventional, wide-angle, and fish-eye
lenses", IEEE TPAMI 28, as in OpenCV's module fisheye), with t = atan(r):

    (x', y') = (x, y) t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8) / r

Both have a symmetric matrix of derivatives, which the way back (Newton's method) and the refinement of a position use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 12
_CLOSE = 1e-11  # normalised: some 1e-8 px
_SOLVED = 1e-7  # normalised: a ten-thousandth of a pixel


class Bent(NamedTuple):
    """Distorted coordinates and their derivatives, all (V, M)."""

    x: Floats
    y: Floats
    dxx: Floats
    dxy: Floats
    dyy: Floats


class Lenses:
    """The lenses of V cameras.

    Args:
        coefficients: of each camera, k1, k2, p1, p2, k3, k4, k5, k6 (the missing ones are 0), or k1 to k4 of a fisheye.
        fisheye: whether each is one.
    """

    def __init__(self, coefficients: Sequence[Sequence[float]], fisheye: Sequence[bool]) -> None:
        table = np.zeros((len(coefficients), 8))
        for row, values in zip(table, coefficients, strict=True):
            row[: len(values)] = values
        self._k: tuple[Floats, ...] = tuple(table.T[:, :, None])  # eight of (V, 1)
        self._fisheye = np.array(fisheye, bool)
        self._straight = not table.any() and not self._fisheye.any()

    def bend(self, x: Floats, y: Floats) -> Bent:
        """Distort (V, M) normalised coordinates."""
        if self._straight:
            one = np.ones_like(x)
            return Bent(x, y, one, np.zeros_like(x), one)
        if not self._fisheye.any():
            return _brown(self._k, x, y)
        if self._fisheye.all():
            return _kannala(self._k, x, y)
        is_fisheye = self._fisheye[:, None]
        pairs = zip(_kannala(self._k, x, y), _brown(self._k, x, y), strict=True)
        return Bent(*(np.where(is_fisheye, one, other) for one, other in pairs))

    def straighten(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Undistort (V, M) coordinates; NaN where no ray leads there, beyond the edge that the model can describe."""
        if self._straight:
            return x, y
        at_x, at_y = self._guess(x, y)
        with np.errstate(all="ignore"):
            for _ in range(_ROUNDS):
                bent = self.bend(at_x, at_y)
                miss_x, miss_y = x - bent.x, y - bent.y
                miss = np.abs(miss_x) + np.abs(miss_y)
                determinant = bent.dxx * bent.dyy - bent.dxy * bent.dxy
                if not (miss > _CLOSE).any():
                    break
                at_x = at_x + (bent.dyy * miss_x - bent.dxy * miss_y) / determinant
                at_y = at_y + (bent.dxx * miss_y - bent.dxy * miss_x) / determinant
            # Beyond the fold of a polynomial the determinant changes its sign: a solution there is none of the lens.
            good = (miss < _SOLVED) & (determinant > 0) & (bent.dxx > 0)
        return np.where(good, at_x, np.nan), np.where(good, at_y, np.nan)

    def _guess(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        if not self._fisheye.any():
            return x, y
        bent = np.hypot(x, y)
        angle = np.clip(bent, 1e-12, 1.4)
        stretch = np.where(self._fisheye[:, None], np.tan(angle) / np.maximum(bent, 1e-12), 1.0)
        return x * stretch, y * stretch


def _brown(k: tuple[Floats, ...], x: Floats, y: Floats) -> Bent:
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    xx, yy, xy2 = x * x, y * y, 2 * x * y
    rr = xx + yy
    above = 1 + rr * (k1 + rr * (k2 + rr * k3))
    slope = k1 + rr * (2 * k2 + rr * (3 * k3))
    if k4.any() or k5.any() or k6.any():
        below = 1 + rr * (k4 + rr * (k5 + rr * k6))
        radial = above / below
        slope = (slope - radial * (k4 + rr * (2 * k5 + rr * (3 * k6)))) / below
    else:
        radial = above
    slope2, px, py = 2 * slope, 2 * p1 * x + 2 * p2 * y, 2 * p1 * y + 2 * p2 * x
    return Bent(
        x * radial + p1 * xy2 + p2 * (rr + 2 * xx),
        y * radial + p1 * (rr + 2 * yy) + p2 * xy2,
        radial + xx * slope2 + py + 4 * p2 * x,
        xy2 * slope + px,
        radial + yy * slope2 + py + 4 * p1 * y,
    )


def _kannala(k: tuple[Floats, ...], x: Floats, y: Floats) -> Bent:
    k1, k2, k3, k4 = k[:4]
    rr = x * x + y * y
    r = np.sqrt(rr)
    t = np.arctan(r)
    tt = t * t
    bent = t * (1 + tt * (k1 + tt * (k2 + tt * (k3 + tt * k4))))
    slope = (1 + tt * (3 * k1 + tt * (5 * k2 + tt * (7 * k3 + tt * (9 * k4))))) / (1 + rr)
    is_middle = r < 1e-6
    safe = np.where(is_middle, 1.0, r)
    scale = np.where(is_middle, 1.0, bent / safe)
    # (d scale / dr) / r; in the middle its limit, from scale = 1 + (k1 - 1/3) r^2 + ...
    turn = np.where(is_middle, 2 * (k1 - 1 / 3), (slope - scale) / (safe * safe))
    return Bent(x * scale, y * scale, scale + x * x * turn, x * y * turn, scale + y * y * turn)
