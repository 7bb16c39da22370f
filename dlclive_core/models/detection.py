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
    """Follow one animal without a detector: in a box around its last position, or in tiles of the whole frame when it is lost.

    Attributes:
        tiles: (across, down) into which the frame is divided for the search.
        overlap: pixels that neighbouring tiles share; about the size of the animal.
        min_size: smallest (width, height) of the box, in pixels.
        min_keypoints: how many confident keypoints it takes; with fewer the animal counts as lost.
    """

    tiles: tuple[int, int] = (3, 2)
    overlap: int = 50
    min_size: tuple[int, int] = (50, 50)
    min_keypoints: int = 2

    def __post_init__(self) -> None:
        if min(self.tiles) < 1 or self.overlap < 0 or min(self.min_size) < 1 or self.min_keypoints < 1:
            raise UsageError(f"tiles, min_size and min_keypoints must be at least 1, overlap at least 0; got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOptions:
    """How a top-down or conditional model finds its animals. Bottom-up models search whole images and have no such options.

    Attributes:
        detect_every: run the detector on every n-th frame; in between, an animal's box comes from its last pose.
        min_score: boxes with a lower detector score are ignored.
        max_animals: the most animals in a frame; None: the number of individuals in the project.
        threshold: confidence from which a keypoint counts for the next frame's box.
        margin: pixels around these keypoints; None: the margin of the network's training.
        follow: how to follow one animal without a detector; None: use the detector.
        conditions: for conditional models, the bottom-up model that finds new and lost animals: a model, or its path.
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
            raise UsageError(f"detect_every must be at least 1 frame; got {self.detect_every}")
        if self.max_animals is not None and self.max_animals < 1:
            raise UsageError(f"max_animals must be at least 1; got {self.max_animals}")
        for name in ("min_score", "threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be a confidence between 0 and 1; got {getattr(self, name)}")
        if self.margin is not None and not (math.isfinite(self.margin) and self.margin >= 0):
            raise UsageError(f"margin must be at least 0 pixels; got {self.margin}")

    def changed_options(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name."""
        values = {field: getattr(self, field.name) for field in fields(self)}
        return {field.name: value for field, value in values.items() if value != field.default}
