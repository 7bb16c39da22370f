"""For how long an animal has not moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dlclive_processors.triggers.scene import Scene


class Stillness:
    """Counts for how long each individual's speed has been below a bound, without a frame in which it was unknown.

    Args:
        speed: px/s; an animal that is slower is still.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._since: dict[str, float] = {}

    def reset(self) -> None:
        """Forget earlier frames."""
        self._since.clear()

    def update(self, scene: Scene, speeds: Sequence[float]) -> list[float]:
        """Take the speeds of a frame; return for how many seconds each has been still: 0 if it moves, NaN if unknown."""
        since: dict[str, float] = {}
        seconds = []
        for name, speed in zip(scene.names, speeds, strict=True):
            if math.isnan(speed):
                seconds.append(math.nan)
            elif speed >= self._speed:
                seconds.append(0.0)
            else:
                since[name] = self._since.get(name, scene.motion_time)
                seconds.append(scene.motion_time - since[name])
        self._since = since
        return seconds
