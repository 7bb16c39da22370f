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

# Inside, the keypoints are the last axis: numpy is then faster than on many small matrices.


def predict(motion: Motion, seconds: float, state: Array, covariance: Array) -> tuple[Array, Array]:
    """The states and covariances of P keypoints some seconds later.

    Args:
        state: (P, D, S), S derivatives of D coordinates.
        covariance: (P, S, S).
    """
    transition = motion.transition(seconds)
    points, coordinates, size = state.shape
    states = np.dot(transition, state.transpose(2, 1, 0).reshape(size, -1))
    half = np.dot(transition, covariance.transpose(1, 2, 0).reshape(size, -1)).reshape(size, size, points)
    spread = np.dot(transition, half.swapaxes(0, 1).reshape(size, -1))  # F (F P)', as P is symmetric
    spread = spread.reshape(size, size, points) + motion.noise(seconds)[:, :, None]
    return states.reshape(size, coordinates, points).transpose(2, 1, 0), spread.transpose(2, 0, 1)


def update(state: Array, covariance: Array, measured: Array, variance: float) -> tuple[Array, Array]:
    """The states and covariances after a measurement.

    Args:
        state, covariance: as in `predict`.
        measured: (P, D) positions in px.
        variance: R, in px^2.
    """
    states, spread = np.ascontiguousarray(state.transpose(1, 2, 0)), np.ascontiguousarray(covariance.transpose(1, 2, 0))
    innovation = measured.T - states[:, 0]
    gain = spread[0] / (spread[0, 0] + variance)  # (S, P)
    states += innovation[:, None] * gain
    half = spread - gain[:, None] * spread[0]  # (I - g H) P: H takes the first row
    rest = half[:, 0] - variance * gain
    return states.transpose(2, 0, 1), (half - rest[:, None] * gain).transpose(2, 0, 1)
