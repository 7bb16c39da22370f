"""Keypoints predicted to the present: where they are now, not where they were at capture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dlclive_core import Frame, Pose, Processor, RunInfo, UsageError
from dlclive_processors.checks import check_number
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.motion import Motion, Order
from dlclive_processors.track_bank import TrackBank

PROCESS_NOISE = {"velocity": 1000.0, "acceleration": 30_000.0}
FARTHEST = 1e6  # px: larger than any image, so a position beyond it (or infinite) is invalid
NO_PIXELS = np.empty((0, 0), dtype=np.uint8)


class KalmanPredictor(Processor):
    """Smooths every keypoint with a Kalman filter and predicts it to the present, or ahead of it.

    With a live source, the returned positions are those expected when the model's pose was ready, plus `horizon`: the age of
    every frame (that moment minus `frame.captured_at`) is measured, which compensates transport, inference and queueing. Delays
    before `captured_at`, exposure and transfer from the camera, cannot be measured here: add them to `horizon`. With a
    recording there is no "now": positions are those at the frame's own time plus `horizon`, and two runs give the same
    numbers.

    The time between frames is the camera's or the recording's own (`frame.device_time`), if available, so dropped frames
    and an irregular rate do no harm; see `dlclive_processors.frame_clock`. If a recording goes back in time, the filter
    restarts; a second frame with the same time counts as a second measurement.

    The output for each keypoint:

    - seen (confidence at least `min_confidence`): the filtered, predicted position and the model's confidence;
    - unseen for at most `max_gap` seconds: the predicted position and the model's low confidence, so that a trigger that
      requires a confident keypoint does not act on a guess;
    - unseen for longer, or predicted further than `max_gap` past its last detection: missing (NaN, NaN, 0). The next
      detection starts a new track and is returned unchanged.

    Individuals are identified by `Pose.ids`, if the pose has them, else by their row; their number may vary between
    frames. Unique keypoints and boxes pass through. The filter is described in `dlclive_processors.track_bank`, the motion
    model in `dlclive_processors.motion`.

    Args:
        horizon: seconds to predict ahead of the present, for example the delay of the device that the pose drives.
        order: "velocity" extrapolates at constant velocity, "acceleration" at constant acceleration: better on smooth,
            fast arcs, more sensitive to noise and gaps.
        process_noise: how freely the animal changes its motion, as a standard deviation per second: of the velocity
            in px/s (order "velocity"; default 1000), of the acceleration in px/s^2 ("acceleration"; default 30000).
            Larger follows faster, smaller smooths more.
        measurement_noise: standard deviation of the model's positions in px.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds past its last detection for which a keypoint is predicted; longer than `horizon`.

    Raises:
        UsageError: an invalid option.
    """

    replays = True

    def __init__(
        self,
        *,
        horizon: float = 0.0,
        order: Order = "velocity",
        process_noise: float | None = None,
        measurement_noise: float = 2.0,
        min_confidence: float = 0.6,
        max_gap: float = 0.5,
    ) -> None:
        if order not in PROCESS_NOISE:
            raise UsageError(f"order is {order!r}; choose from {', '.join(PROCESS_NOISE)}")
        self._horizon = check_number("horizon", horizon, least=0)
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        process_noise = PROCESS_NOISE[order] if process_noise is None else process_noise
        process_noise = check_number("process_noise", process_noise, above=0)
        measurement_noise = check_number("measurement_noise", measurement_noise, above=0)
        max_gap = check_number("max_gap", max_gap, above=0)
        if max_gap <= self._horizon:
            raise UsageError(
                f"max_gap is {max_gap:g} s and horizon {horizon:g} s, so every keypoint would be "
                "missing; give a longer max_gap"
            )
        self._tracks = TrackBank(Motion(order, process_noise, measurement_noise), measurement_noise, max_gap)
        self._clock = FrameClock()
        self._last: Frame | None = None

    def open(self, run: RunInfo) -> None:
        """Reset the tracks of an earlier run."""
        self._clock = FrameClock(run)
        self.close()

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Return a new pose with filtered and predicted positions."""
        step = self._clock.between(self._last, frame) if self._last is not None else 0.0
        if step < 0:
            self._tracks.forget()
        self._last = replace(frame, image=NO_PIXELS)  # only its times are needed: release the image's memory
        measured = pose.keypoints.astype(np.float64)
        xy, confidence = measured[..., :2], measured[..., 2]
        is_measured = (np.abs(xy) < FARTHEST).all(axis=-1) & (confidence >= self._min_confidence)

        named = pose.ids is not None and len(set(pose.ids)) == len(pose)
        self._tracks.advance(step)
        rows = self._tracks.rows(pose.ids if named and pose.ids else range(len(pose)), measured.shape[1])
        self._tracks.measure(rows, xy, is_measured)

        keypoints = np.empty_like(pose.keypoints)
        age = max(0.0, self._clock.pose_age(frame))  # 0 for NaN: nothing is known of a frame stamped by another clock
        keypoints[..., :2] = self._tracks.predicted(rows, age + self._horizon)
        keypoints[..., 2] = np.where(np.isnan(keypoints[..., 0]) | np.isnan(confidence), 0.0, confidence)
        return replace(pose, keypoints=keypoints)

    def close(self) -> None:
        """Forget all tracks."""
        self._tracks.forget()
        self._last = None
