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
    """What is done to a whole image, in this order: resize, scale, pad.

    Attributes:
        resize: to this (height, width); None: not.
        keep_ratio: resize as far as the image fits in, and fill the bottom and the right with black.
        longest_side: then scale the image so that its longer side has so many pixels; None: not.
        min_size: then pad to (height, width) at least.
        divisor: and to multiples of (height, width).
        position: where the image lies in what is padded.
        border: the colour of the padding, red, green, blue; None: the image is reflected, without repeating its edge.
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
        """The shape after resizing, before it is filled up with black."""
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
        """The shape that the network sees of an image of this shape."""
        return self.padded(self.scaled(self.resize or shape))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preparation:
        """Read what `to_dict` gave, also after a journey through JSON.

        Raises:
            TypeError, ValueError: it is not that.
        """
        read: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        made = cls(**read)
        if made.position not in POSITIONS:
            raise ValueError(f"no position {made.position!r}")
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
