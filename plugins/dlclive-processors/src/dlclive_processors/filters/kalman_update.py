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


def predict(motion: Motion, seconds: float, state: Array, covariance: Array) -> tuple[Array, Array]:
    """The states and covariances of keypoints some seconds later.

    Args:
        state: (..., D, S), S derivatives of D coordinates.
        covariance: (..., S, S).
    """
    turned = motion.transition(seconds).T
    size = len(turned)
    right = covariance.reshape(-1, size) @ turned  # one large product is much faster than many small ones
    both = right.reshape(-1, size, size).swapaxes(-1, -2).reshape(-1, size) @ turned  # F (P F'), as P is symmetric
    spread = both.reshape(covariance.shape) + motion.noise(seconds)
    return (state.reshape(-1, size) @ turned).reshape(state.shape), spread


def update(state: Array, covariance: Array, measured: Array, variance: float) -> tuple[Array, Array]:
    """The states and covariances after a measurement.

    Args:
        state: (P, D, S).
        covariance: (P, S, S).
        measured: (P, D) positions in px.
        variance: R, in px^2.
    """
    innovation = measured - state[..., 0]
    gain = covariance[..., 0] / (covariance[..., :1, 0] + variance)  # (P, S)
    row = gain[:, None, :]
    half = covariance - gain[:, :, None] * covariance[:, :1]  # (I - g H) P: H takes the first row
    rest = half[..., 0] - variance * gain
    return state + innovation[..., None] * row, half - rest[:, :, None] * row
