"""The Kalman filters of all keypoints of all individuals, batched in a few small arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_processors.motion import Motion


class TrackBank:
    """One filter per keypoint and individual, all updated together; no matrix is larger than 3 x 3.

    x and y of a keypoint have the same measurement noise and motion model, so they share one covariance.
    The filter is the standard one for a measured position, H = [1 0 (0)], with the innovation v and its variance S:

        predict   s = F s            P = F P F' + Q
        update    v = z - H s        S = P[0, 0] + R      gain g = P[:, 0] / S
                  s = s + g v        P = (I - g H) P (I - g H)' + g R g'

    R. E. Kalman, A New Approach to Linear Filtering and Prediction Problems, J. Basic Eng. 82 (1960) 35-45; the last
    line is Joseph's form of the update, which stays positive however the rounding falls (Bar-Shalom, Li, Kirubarajan
    2001, section 5.2.4).

    Args:
        motion: the motion model.
        measurement_noise: standard deviation of a measured coordinate in px.
        max_gap: seconds without a measurement after which a keypoint is forgotten.

    Attributes:
        state: (M, K, D, 2) float64 for the M tracked individuals: D derivatives of x and y.
        covariance: (M, K, D, D).
        unseen: (M, K) seconds since the last measurement; infinite where there is no track.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    unseen: NDArray[np.float64]

    def __init__(self, motion: Motion, measurement_noise: float, max_gap: float) -> None:
        self._motion = motion
        self._variance = measurement_noise**2
        self._max_gap = max_gap
        self._eye = np.eye(motion.states)
        self.forget()

    def forget(self) -> None:
        """Drop every track."""
        self._make([], 0)

    def __len__(self) -> int:
        """Number of tracked individuals."""
        return len(self._keys)

    def rows(self, keys: Sequence[Hashable], keypoints: int) -> NDArray[np.intp] | slice:
        """Find or create the row of each individual; rows without a track are dropped.

        Args:
            keys: N unique names of individuals.
            keypoints: K.
        """
        if list(keys) == self._keys and keypoints == self.unseen.shape[1]:
            return slice(None)
        if keypoints != self.unseen.shape[1]:
            self._make([], keypoints)
        remembered: NDArray[np.bool_] = np.any(np.isfinite(self.unseen), axis=1)
        kept = [row for row, key in enumerate(self._keys) if remembered[row] or key in keys]
        names = [self._keys[row] for row in kept]
        old = self.state, self.covariance, self.unseen
        self._make(names + [key for key in keys if key not in names], keypoints)
        for new, before in zip((self.state, self.covariance, self.unseen), old, strict=True):
            new[: len(kept)] = before[kept]
        row_of = {key: row for row, key in enumerate(self._keys)}
        return np.array([row_of[key] for key in keys], dtype=np.intp)

    def advance(self, seconds: float) -> None:
        """Advance every track by a time >= 0, and drop those without a measurement for longer than max_gap."""
        if seconds > self._max_gap:
            self.unseen[:] = np.inf
        elif seconds > 0:
            transition = self._motion.transition(seconds)
            self.state = transition @ self.state
            self.covariance = transition @ self.covariance @ transition.T + self._motion.noise(seconds)
            self.unseen += seconds
            self.unseen[self.unseen > self._max_gap] = np.inf

    def measure(self, rows: NDArray[np.intp] | slice, xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> None:
        """Update the tracks with measured positions.

        Args:
            rows: of the N individuals, from `rows`.
            xy: (N, K, 2) px; ignored, and may be NaN, where `seen` is False.
            seen: (N, K).
        """
        state, covariance, unseen = self.state[rows], self.covariance[rows], self.unseen[rows]
        known = np.isfinite(unseen)
        innovation = np.where(seen[..., None], xy - state[:, :, 0], 0.0)
        gain = covariance[..., 0] / (covariance[..., :1, 0] + self._variance)  # (N, K, D)
        gain *= (seen & known)[..., None]  # a gain of zero leaves both state and covariance as they are
        state = state + gain[..., None] * innovation[:, :, None, :]
        rest = self._eye - gain[..., None] * self._eye[0]
        covariance = rest @ covariance @ rest.swapaxes(-1, -2)
        covariance += self._variance * gain[..., :, None] * gain[..., None, :]
        new = seen & ~known
        if new.any():
            state[new] = 0.0
            state[new, 0] = xy[new]
            covariance[new] = self._motion.start
        self.state[rows], self.covariance[rows] = state, covariance
        self.unseen[rows] = np.where(seen, 0.0, unseen)

    def predicted(self, rows: NDArray[np.intp] | slice, seconds: float) -> NDArray[np.float64]:
        """(N, K, 2) positions in px, `seconds` from now; NaN if the last measurement is then older than max_gap."""
        xy: NDArray[np.float64] = self._motion.transition(seconds)[0] @ self.state[rows]
        xy[self.unseen[rows] + seconds > self._max_gap] = np.nan
        return xy

    def _make(self, keys: list[Hashable], keypoints: int) -> None:
        states = self._motion.states
        self._keys: list[Hashable] = keys
        self.state = np.zeros((len(keys), keypoints, states, 2))
        self.covariance = np.zeros((len(keys), keypoints, states, states))
        self.unseen = np.full((len(keys), keypoints), np.inf)
