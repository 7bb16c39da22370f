"""How top-down and conditional models find their animals."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingBox:
    """Following one animal without a detector: a box around where it was last, tiles of the whole frame when it is lost.

    Attributes:
        tiles: (across, down) that the frame is searched in.
        overlap: pixels that neighbouring tiles share, about the size of an animal.
        min_size: (width, height) that the box is at least, in pixels.
        min_keypoints: how many keypoints must be sure; with fewer the animal is lost.
    """

    tiles: tuple[int, int] = (3, 2)
    overlap: int = 50
    min_size: tuple[int, int] = (50, 50)
    min_keypoints: int = 2

    def __post_init__(self) -> None:
        if min(self.tiles) < 1 or self.overlap < 0 or min(self.min_size) < 1 or self.min_keypoints < 1:
            raise UsageError(f"tiles, min_size and min_keypoints are at least 1, overlap at least 0; got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOptions:
    """How a top-down or conditional model finds its animals. Bottom-up models find theirs in whole images and need none.

    Attributes:
        detect_every: ask the detector in every n-th frame; in between an animal's box comes from its last pose.
        min_score: boxes that the detector is less sure of are not looked at.
        max_animals: the most animals in a frame; None: as many as the project has individuals.
        threshold: confidence from which a keypoint counts for the next frame's box.
        margin: pixels around these keypoints; None: those that the network was trained with.
        follow: follow one animal without a detector; None: do not.
        conditions: for conditional models, the bottom-up model that finds animals first and again: a model, or its path.
    """

    detect_every: int = 1
    min_score: float = 0.5
    max_animals: int | None = None
    threshold: float = 0.25
    margin: float | None = None
    follow: FollowingBox | None = None
    conditions: str | Path | PoseModel | None = None

    def __post_init__(self) -> None:
        if self.detect_every < 1:
            raise UsageError(f"detect_every is a number of frames from 1 up; got {self.detect_every}")
        if self.max_animals is not None and self.max_animals < 1:
            raise UsageError(f"max_animals is a number from 1 up; got {self.max_animals}")
        for name in ("min_score", "threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is a confidence from 0 to 1; got {getattr(self, name)}")
        if self.margin is not None and not (math.isfinite(self.margin) and self.margin >= 0):
            raise UsageError(f"margin is a number of pixels from 0 up; got {self.margin}")

    def changed_options(self) -> dict[str, Any]:
        """The options that are not at their defaults, by name."""
        values = {field: getattr(self, field.name) for field in fields(self)}
        return {field.name: value for field, value in values.items() if value != field.default}
