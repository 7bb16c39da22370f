"""Speed: of a keypoint, of several, of the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from typing_extensions import Unpack

from dlclive_core import Skeleton, check_number
from dlclive_processors.triggers.bounds import Bounds
from dlclive_processors.triggers.columns import columns_of, names_of
from dlclive_processors.triggers.condition import Condition, Reading, Subject
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trail import Trail
from dlclive_processors.triggers.trigger import Trigger


class Speed(Condition):
    """An individual is faster or slower than a bound; its value is the speed in px/s.

    Unknown until it has been seen in two frames, and while it is not seen. See `Trail` for the formula.

    Args:
        bounds: of the speed, px/s.
        keypoints: whose mean motion counts; empty: the body, all keypoints that are seen.
        window: seconds over which the speed is estimated.
    """

    def __init__(self, bounds: Bounds, keypoints: Sequence[str] = (), window: float = 0.1) -> None:
        self._bounds = bounds
        self._keypoints = tuple(keypoints)
        self._trail = Trail(check_number("window", window, above=0, most=10))

    def bind(self, skeleton: Skeleton) -> None:
        self.columns = columns_of(self._keypoints, skeleton)
        self._trail.columns = None if self.columns is None else list(self.columns)
        self._trail.reset()

    def reset(self) -> None:
        self._trail.reset()

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        speeds = self._trail.update(scene)
        return {(name,): self._bounds.reading(speed) for name, speed in zip(scene.names, speeds, strict=True)}


class SpeedTrigger(Trigger):
    """Reports when an animal is faster, or slower, than a bound, and switches an output meanwhile.

    `--processor speed:threshold=300` is: the body moves faster than 300 px/s.

    Args:
        threshold: faster than this, px/s.
        below: slower than this, px/s. With both, `threshold` must be less: between the two.
        keypoint: of a single keypoint; default: of the body, all keypoints that are seen.
        keypoints: the mean motion of several, such as [left_ear,right_ear].
        window: seconds over which the speed is estimated. The estimate lags by about half of them.
        options: those of all triggers, see `Trigger`.
    """

    value_unit = "px/s"

    def __init__(
        self,
        threshold: float | None = None,
        *,
        below: float | None = None,
        keypoint: str | None = None,
        keypoints: Sequence[str] = (),
        window: float = 0.1,
        **options: Unpack[TriggerOptions],
    ) -> None:
        bounds = Bounds(threshold, below, names=("threshold", "below"), unit="px/s")
        chosen = names_of("keypoints", [*([] if keypoint is None else [keypoint]), *keypoints])
        super().__init__(Speed(bounds, chosen, window), **options)
