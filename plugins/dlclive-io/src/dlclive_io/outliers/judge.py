"""Judges how bad a pose is: keypoints that the model is unsure of, and keypoints that jump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose, Skeleton

Array = NDArray[np.float32]


class Verdict(NamedTuple):
    """How bad a pose is, from 0 to 1, and which of the two reasons is the stronger: "uncertain" or "jump"; "" for 0."""

    score: float
    reason: str


@dataclass(slots=True)
class _Earlier:
    seconds: float
    pose: Pose


class Judge:
    """Judges one pose after another.

    With c the confidence of a keypoint and m `min_confidence`, the score of an unsure pose is the mean of max(0, 1 - c / m)
    over the keypoints that are looked at, of all animals that are in view: 0 if all are sure, 1 if none was found. An animal
    of which nothing was found is not in view, unless that is so of all.

    With v the speed of a keypoint since the frame before, in px/s, and s `max_speed`, the score of a jump is the largest of
    1 - s / v. Both positions must have `min_confidence`: an unsure keypoint that jumps is unsure. Where
    animals have no names, the nearest one of the frame before counts as the same.

    Args:
        skeleton: of the model.
        keypoints: the names of those that are looked at; empty: all.
        min_confidence: 0 judges no confidence.
        max_speed: in px/s; None judges no speed.

    Raises:
        UsageError: a name that the skeleton does not have.
    """

    def __init__(
        self, skeleton: Skeleton, keypoints: tuple[str, ...], min_confidence: float, max_speed: float | None
    ) -> None:
        self._columns = [skeleton.index(name) for name in keypoints] or list(range(len(skeleton)))
        self._min_confidence, self._max_speed = min_confidence, max_speed
        self._earlier: _Earlier | None = None

    def judge(self, pose: Pose, seconds: float) -> Verdict:
        """Judge the pose of a frame; `seconds` is its time."""
        unsure, jump = self._unsure(pose), self._jump(pose, seconds)
        self._earlier = _Earlier(seconds, pose)
        if max(unsure, jump) <= 0:
            return Verdict(0.0, "")
        return Verdict(jump, "jump") if jump > unsure else Verdict(unsure, "uncertain")

    def _unsure(self, pose: Pose) -> float:
        if self._min_confidence <= 0:
            return 0.0
        confidence = np.nan_to_num(pose.confidence, nan=0.0)
        if confidence.size and confidence.min() >= self._min_confidence:  # nearly always, and quick
            return 0.0
        in_view = confidence[(confidence > 0).any(axis=1)][:, self._columns]
        if not in_view.size:
            return 1.0
        return float(np.clip(1 - in_view / self._min_confidence, 0, 1).mean(dtype=np.float64))

    def _jump(self, pose: Pose, seconds: float) -> float:
        earlier = self._earlier
        if self._max_speed is None or earlier is None or seconds <= earlier.seconds:
            return 0.0
        before, now = self._positions(earlier.pose), self._positions(pose)
        if not len(before) or not len(now):
            return 0.0
        if pose.ids is not None and earlier.pose.ids is not None:
            pairs = [(row, pose.ids.index(name)) for row, name in enumerate(earlier.pose.ids) if name in pose.ids]
            distances = [np.linalg.norm(now[new] - before[old], axis=-1) for old, new in pairs]
            distance = np.array(distances, np.float32).reshape(-1, len(self._columns))
        else:
            every = np.linalg.norm(now[:, None] - before[None], axis=-1)  # (animals now, animals before, keypoints)
            distance = np.where(np.isnan(every), np.inf, every).min(axis=1)
        reached = distance[np.isfinite(distance)]
        speed = float(reached.max()) / (seconds - earlier.seconds) if reached.size else 0.0
        return 1 - self._max_speed / speed if speed > self._max_speed else 0.0

    def _positions(self, pose: Pose) -> Array:
        """(N, columns, 2), NaN for a keypoint that the model is not sure of."""
        keypoints = pose.keypoints[:, self._columns]
        sure = (keypoints[..., 2] >= self._min_confidence) & (keypoints[..., 2] > 0)
        return np.where(sure[..., None], keypoints[..., :2], np.float32(np.nan))
