"""The equations of the Kalman filter for many keypoints at once; no matrix is larger than 3 x 3.

The coordinates of a keypoint have the same measurement noise and motion model, so they share one covariance. A position is
measured, H = [1 0 (0)], with the innovation v and its variance S:

    predict   s = F s            P = F P F' + Q
    update    v = z - H s        S = P[0, 0] + R      gain g = P[:, 0] / S
              s = s + g v        P = (I - g H) P (I - g H)' + g R g'

R. E. Kalman, A New Approach to Linear Filtering and Prediction Problems, J. Basic Eng. 82 (1960) 35-45; the last line is
Joseph's form of the update, which stays positive however the rounding falls (Bar-Shalom, Li, Kirubarajan 2001, section 5.2.4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_processors.filters.motion import Motion

Array = NDArray[np.float64]


def predict(motion: Motion, seconds: float, table: Array) -> Array:
    """The tables of P keypoints some seconds later.

    Args:
        table: (P, D + S, S) contiguous: for each keypoint, the S derivatives of D coordinates, and below them the covariance
            that these share, (S, S). So states and covariances are multiplied by F at once.
    """
    points, rows, size = table.shape
    transition, noise = motion.step(seconds)
    transition = transition.T
    later = np.dot(table.reshape(-1, size), transition).reshape(points, rows, size)
    half = later[:, rows - size :].swapaxes(1, 2)  # F P, as P is symmetric
    np.add(np.dot(half.reshape(-1, size), transition).reshape(half.shape), noise, out=later[:, rows - size :])
    return later


def update(table: Array, measured: Array, variance: float) -> Array:
    """The tables after a measurement.

    Args:
        table: as in `predict`.
        measured: (P, D) positions in px.
        variance: R, in px^2.
    """
    points, rows, size = table.shape
    # Inside, the keypoints are the last axis: numpy is then faster than on many small matrices.
    flat = table.reshape(points, -1).T.copy()
    by_point = flat.reshape(rows, size, points)
    states, spread = by_point[: rows - size], by_point[rows - size :]
    gain = spread[0] / (spread[0, 0] + variance)  # (S, P)
    states += (measured.T - states[:, 0])[:, None] * gain
    spread -= gain[:, None] * spread[0].copy()  # (I - g H) P: H takes the first row
    spread -= (spread[:, 0] - variance * gain)[:, None] * gain
    return flat.T.reshape(table.shape)
