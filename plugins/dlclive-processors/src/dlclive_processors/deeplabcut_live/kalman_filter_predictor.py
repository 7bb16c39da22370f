"""DeepLabCut-live's Kalman filter, written anew, for files that import it where deeplabcut-live is not installed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError, check_number
from dlclive_processors.deeplabcut_live.processor import Array, Processor

_LARGE = 1e5
"""Prior variance of the positions."""
_FARTHEST = 1e6
"""px: larger than any image, so a position beyond it is invalid."""


class KalmanFilterPredictor(Processor):
    """Predicts each keypoint to the present, and `forward` seconds ahead of it, as the class of this name in DeepLabCut-live.

    New experiments should use `dlclive_processors.KalmanPredictor`, which measures time by the frames, takes several animals
    and handles gaps; this one exists so that processors which build on the other run unchanged, with the same numbers.

    A Kalman filter (Kalman 1960, J. Basic Eng. 82:35) whose state holds, for each coordinate, the position and `nderiv`
    derivatives, all of them measured: derivatives as differences from the last estimate over 1/`fps`. All coordinates have the
    same noise and are measured at the same times, so one (nderiv + 1, nderiv + 1) covariance serves them all. Before each
    prediction, states are shrunk towards 0: x / (1 + P / B), for the variance P of the estimate and the prior variances
    B = (1e5, *priors).

    A keypoint that is (0, 0, 0), which is missing, or less likely than `lik_thresh` keeps its prediction. The first pose passes
    through, and so does a keypoint that was never found.

    Args:
        adapt: predict by the frame's age, `time.time() - frame_time`, plus `forward`; False: by `forward` alone.
        forward: seconds.
        fps: frames per second.
        nderiv: derivatives in the state; 2: velocity and acceleration.
        priors: prior variances of the derivatives, smaller to damp them more.
        initial_var, process_var, dlc_var: variances of the first estimate, added in each step, and of a measurement.
        lik_thresh: likelihood below which a keypoint is not measured.
        kwargs: for other base classes of a subclass.
    """

    def __init__(
        self,
        adapt: bool = True,
        forward: float = 0.002,
        fps: float = 30,
        nderiv: int = 2,
        priors: Sequence[float] = (10, 10),
        initial_var: float = 5,
        process_var: float = 5,
        dlc_var: float = 20,
        lik_thresh: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.adapt = adapt
        self.forward = check_number("forward", forward)
        self.fps = check_number("fps", fps, above=0)
        self.nderiv = int(check_number("nderiv", nderiv, least=1, most=6))
        if len(priors) != self.nderiv:
            raise UsageError(f"priors has {len(priors)} variances; give {self.nderiv}, one for each derivative")
        self._priors = np.array([_LARGE, *(check_number("priors", prior, above=0) for prior in priors)])[:, None]
        self.initial_var = check_number("initial_var", initial_var, above=0)
        self.process_var = check_number("process_var", process_var, least=0)
        self.dlc_var = check_number("dlc_var", dlc_var, above=0)
        self.lik_thresh = check_number("lik_thresh", lik_thresh)
        self.last_pose_time = 0.0
        self._state: NDArray[np.float64] | None = None  # (nderiv + 1, K, 2): positions, velocities, accelerations
        self._covariance: NDArray[np.float64] = np.empty(0)
        self._known: NDArray[np.bool_] = np.empty(0, bool)  # (K,): keypoints that have been found

    def process(self, pose: Array, **kwargs: Any) -> Array:
        """Return the predicted pose, (K, 3), with the likelihoods of `pose`.

        Args:
            pose: (K, 3) x, y in pixels, likelihood.
            kwargs: `frame_time`, the wall time of the frame in seconds, if `adapt` is set.

        Raises:
            UsageError: a pose of several animals, or no `frame_time`.
        """
        if pose.ndim != 2:
            raise UsageError("KalmanFilterPredictor takes one animal, (K, 3); for several, use the processor kalman")
        if self.adapt and "frame_time" not in kwargs:
            raise UsageError("KalmanFilterPredictor needs frame_time=...; or give it adapt=False")
        now = time.time()
        xy = np.asarray(pose[:, :2], np.float64)
        found = (pose != 0).any(axis=1) & np.isfinite(pose).all(axis=1) & (abs(xy) < _FARTHEST).all(axis=1)
        if self._state is None or self._state.shape[1] != len(pose):
            self._begin(xy, found)
            self.last_pose_time = now
            return pose
        before = self._state
        self._predict(max(0.0, now - self.last_pose_time))
        self.last_pose_time = now
        self._update(xy, found & (pose[:, 2] >= self.lik_thresh), before)
        self._add(xy, found & ~self._known)
        return self._ahead(pose, now, kwargs.get("frame_time", now))

    def _begin(self, xy: NDArray[np.float64], found: NDArray[np.bool_]) -> None:
        size = self.nderiv + 1
        self._state = np.zeros((size, len(xy), 2))
        self._state[0] = np.where(found[:, None], xy, 0)
        self._covariance = self.initial_var * np.eye(size)
        self._known = found

    def _add(self, xy: NDArray[np.float64], new: NDArray[np.bool_]) -> None:
        """Begin with keypoints that are found for the first time."""
        assert self._state is not None
        self._state[:, new] = 0
        self._state[0, new] = xy[new]
        self._known |= new

    def _transition(self, seconds: float) -> NDArray[np.float64]:
        """The Taylor series of motion: position += velocity t + acceleration t^2 / 2 + ..."""
        size = self.nderiv + 1
        terms = [np.eye(size, k=order) * seconds**order / math.factorial(order) for order in range(size)]
        return np.asarray(sum(terms))

    def _predict(self, seconds: float) -> None:
        assert self._state is not None
        transition = self._transition(seconds)
        shrinking = 1 + np.diag(self._covariance)[:, None] / self._priors
        self._state = np.einsum("ij,jkc->ikc", transition, self._state / shrinking[..., None])
        noise = self.process_var * np.eye(len(transition))
        self._covariance = transition @ self._covariance @ transition.T + noise

    def _update(self, xy: NDArray[np.float64], measured: NDArray[np.bool_], before: NDArray[np.float64]) -> None:
        assert self._state is not None
        values = np.empty_like(self._state)
        values[0] = xy
        for order in range(self.nderiv):
            values[order + 1] = (values[order] - before[order]) * self.fps
        covariance = self._covariance
        gain = np.linalg.solve(covariance + self.dlc_var * np.eye(len(covariance)), covariance).T
        correction = np.einsum("ij,jkc->ikc", gain, values - self._state)
        self._state[:, measured] += correction[:, measured]
        self._covariance = covariance - gain @ covariance

    def _ahead(self, pose: Array, now: float, frame_time: float) -> Array:
        assert self._state is not None
        seconds = (now - frame_time if self.adapt else 0.0) + self.forward
        predicted = np.einsum("j,jkc->kc", self._transition(seconds)[0], self._state)
        future = pose.copy()
        with np.errstate(over="ignore"):  # a frame that claims to be years old
            future[self._known, :2] = predicted[self._known]
        return future
