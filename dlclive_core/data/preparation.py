"""How a configuration resizes and pads images before its network sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Position = Literal["top_left", "top_right", "bottom_left", "bottom_right", "center"]
POSITIONS: tuple[Position, ...] = get_args(Position)
Shape = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The steps applied to a whole image, in this order: resize, scale, pad.

    Attributes:
        resize: to this (height, width); None: do not resize.
        keep_ratio: resize to fit, and fill the bottom and the right with black.
        longest_side: then scale the longer side to this many pixels; None: do not scale.
        min_size: then pad to at least (height, width).
        divisor: and pad to multiples of (height, width).
        position: the image's place within the padded image.
        border: the (red, green, blue) of the padding; None: reflect the image, without repeating its edge.
    """

    resize: Shape | None = None
    keep_ratio: bool = True
    longest_side: int | None = None
    min_size: Shape = (0, 0)
    divisor: Shape = (1, 1)
    position: Position = "top_left"
    border: tuple[int, int, int] | None = None

    @property
    def scales(self) -> bool:
        """Whether an animal's size in pixels changes with the size of the image."""
        return self.resize is not None or self.longest_side is not None

    def resized(self, shape: Shape) -> Shape:
        """The shape after resizing, without the black filling."""
        height, width = shape
        if self.resize is None:
            return shape
        if not self.keep_ratio:
            return self.resize
        factor = min(self.resize[0] / height, self.resize[1] / width)
        return int(height * factor), int(width * factor)

    def scaled(self, shape: Shape) -> Shape:
        """The shape of a resized image after scaling."""
        if self.longest_side is None:
            return shape
        factor = self.longest_side / max(shape)
        return round(shape[0] * factor), round(shape[1] * factor)

    def padded(self, shape: Shape) -> Shape:
        """The shape of a scaled image after padding."""
        height, width = (max(side, least) for side, least in zip(shape, self.min_size, strict=True))
        return math.ceil(height / self.divisor[0]) * self.divisor[0], math.ceil(width / self.divisor[1]) * self.divisor[
            1
        ]

    def prepared(self, shape: Shape) -> Shape:
        """The shape of the network's input for an image of this shape."""
        return self.padded(self.scaled(self.resize or shape))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preparation:
        """Read the result of `to_dict`, also after a round trip through JSON.

        Raises:
            TypeError, ValueError: the values are invalid.
        """
        read: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        preparation = cls(**read)
        if preparation.position not in POSITIONS:
            raise ValueError(f"unknown position {preparation.position!r}")
        return preparation

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
