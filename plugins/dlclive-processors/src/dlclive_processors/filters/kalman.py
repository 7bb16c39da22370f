"""Keypoints predicted to the present: where they are now, not where they were at capture."""

from __future__ import annotations

import math

import numpy as np

from dlclive_core import Frame, UsageError, check_number
from dlclive_processors.filters import kalman_update
from dlclive_processors.filters.keypoint_filter import Array, KeypointFilter
from dlclive_processors.filters.memory import Record
from dlclive_processors.filters.motion import Motion, Order

# Chosen for the mouse of benchmarks/prediction.md, whose body is about 100 px long.
PROCESS_NOISE = {"velocity": 800.0, "acceleration": 10_000.0}  # px/s, px/s^2
PERSISTENCE = {"velocity": 0.4, "acceleration": 0.05}  # s


class KalmanPredictor(KeypointFilter):
    """Smooths every keypoint with a Kalman filter and predicts it to the present, or ahead of it.

    With a live source, the returned positions are those expected when the model's pose was ready, plus `horizon`: the age of
    every frame (that moment minus `frame.captured_at`) is measured, which compensates transport, inference and queueing. Delays
    before `captured_at`, exposure and transfer from the camera, cannot be measured here: add them to `horizon`. With a
    recording there is no "now": positions are those at the frame's own time plus `horizon`, and two runs give the same
    numbers.

    The time between frames is the camera's or the recording's own (`frame.device_time`), if available, so dropped frames
    and an irregular rate do no harm; see `dlclive_processors.frame_clock`. A second frame with the same time counts as a
    second measurement.

    A keypoint unseen for at most `max_gap` seconds is predicted, with a confidence below `min_confidence`, so that a trigger
    that requires a confident keypoint does not act on a guess. Unseen for longer, or predicted further than `max_gap`
    past its last detection, it is missing. See `KeypointFilter` for this, for individuals, and for recordings that go back.
    The equations are in `dlclive_processors.filters.kalman_update`, the motion model in `dlclive_processors.filters.motion`.

    Args:
        horizon: seconds to predict ahead of the present, for example the delay of the device that the pose drives.
        order: "velocity" extrapolates the velocity, "acceleration" also the acceleration: better on smooth, fast arcs, more
            sensitive to noise and gaps.
        process_noise: how freely the animal changes its motion, as a standard deviation per second: of the velocity
            in px/s (order "velocity"; default 800), of the acceleration in px/s^2 ("acceleration"; default 10000).
            Larger follows faster, smaller smooths more.
        persistence: seconds within which the animal forgets its velocity (order "velocity"; default 0.4) or its acceleration
            ("acceleration"; default 0.05): a prediction does not run on for ever. `inf` never forgets.
        measurement_noise: standard deviation of the model's positions in px.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds past its last detection for which a keypoint is predicted; longer than `horizon`.

    Raises:
        UsageError: an invalid option.
    """

    def __init__(
        self,
        *,
        horizon: float = 0.0,
        order: Order = "velocity",
        process_noise: float | None = None,
        persistence: float | None = None,
        measurement_noise: float = 2.0,
        min_confidence: float = 0.6,
        max_gap: float = 0.5,
    ) -> None:
        if order not in PROCESS_NOISE:
            raise UsageError(f"order is {order!r}; choose from {', '.join(PROCESS_NOISE)}")
        super().__init__(min_confidence=min_confidence, max_gap=max_gap)
        self._horizon = check_number("horizon", horizon, least=0)
        process_noise = PROCESS_NOISE[order] if process_noise is None else process_noise
        process_noise = check_number("process_noise", process_noise, above=0)
        persistence = PERSISTENCE[order] if persistence is None else persistence
        if persistence != math.inf:
            persistence = check_number("persistence", persistence, least=1e-3)
        measurement_noise = check_number("measurement_noise", measurement_noise, above=0)
        if max_gap <= self._horizon:
            raise UsageError(
                f"max_gap is {max_gap:g} s and horizon {horizon:g} s, so every keypoint would be "
                "missing; give a longer max_gap"
            )
        self._max_gap = max_gap
        self._motion = Motion(order, process_noise, measurement_noise, persistence)
        self._variance = measurement_noise**2

    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """State and covariance at the time of the frame, as one table: see `kalman_update.predict`."""
        states = self._motion.states
        return [("table", float, (coordinates + states, states))]

    def advance(self, state: Record, seconds: float) -> None:
        """Predict to the time of the frame."""
        state["table"] = kalman_update.predict(self._motion, seconds, state["table"])

    def start(self, state: Record, measured: Array) -> None:
        """At the measured position, at rest."""
        coordinates = measured.shape[1]
        state["table"][:, :coordinates, 0] = measured
        state["table"][:, coordinates:] = self._motion.start

    def update(self, state: Record, measured: Array, since: Array) -> bool:
        """Correct by the measurement."""
        state["table"] = kalman_update.update(state["table"], measured, self._variance)
        return True

    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The positions at the present, plus `horizon`."""
        age = max(0.0, self._clock.pose_age(frame))  # 0 for NaN: nothing is known of a frame stamped by another clock
        ahead = age + self._horizon
        states = state["table"][:, : -self._motion.states]
        if ahead > self._max_gap:
            return np.full(states.shape[:2], np.nan)
        places: Array = np.dot(states, self._motion.transition(ahead)[0])
        if since.max() + ahead > self._max_gap:
            places[since + ahead > self._max_gap] = np.nan
        return places
