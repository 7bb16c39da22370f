"""Regions of the frame that a model sees: a fixed crop, a resized image, and chains of regions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Real
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose import Pose
from dlclive_core.errors import DependencyError, UsageError, shown
from dlclive_core.machine.known_packages import RESIZE, install_command
from dlclive_core.regions.crop_transform import IDENTITY, CropTransform

Image = NDArray[np.uint8]
Shape = tuple[int, int]
"""(height, width) in pixels: the first two of an image's shape. A size is (width, height)."""


class Region(ABC):
    """Cuts a region out of an image. Used by one thread at a time."""

    @abstractmethod
    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        """Return the region of an (H, W, 3) or (H, W) image, and its position. Raises UsageError if it does not fit."""

    def follow(self, pose: Pose) -> None:
        """Take the pose estimated after `cut`, in pixels of the image passed to `cut`."""

    def views(self, shape: Shape) -> list[Shape]:
        """The shapes that `cut` may return for an image of this shape, as far as known in advance; the first cut's comes first.

        For the warm-up: some runtimes are slow the first time they see a shape.
        """
        image, _ = self.cut(np.zeros((*shape, 3), np.uint8))
        return [(image.shape[0], image.shape[1])]

    def require(self, least: Shape) -> Shape:
        """Be told the smallest view that the next region or the model takes; return the smallest image that leaves such a view.

        Called before the first `cut`. A view that depends on the pose is then no smaller, where the image is not.
        Raises UsageError if this region never leaves as much.
        """
        return least

    @property
    def looks_again(self) -> bool:
        """Whether the last image should be cut and run through the model a second time, now that its pose is known."""
        return False

    def reset(self) -> None:
        """Forget the animal's position."""


_LARGEST_SIDE = 1_000_000
"""Pixels; no camera has as many, and an integer may have any number of digits."""


class Crop(Region):
    """A fixed rectangle, [x1, x2) by [y1, y2) in pixels, in DeepLabCut's order (x1, x2, y1, y2)."""

    def __init__(self, x1: int, x2: int, y1: int, y2: int) -> None:
        numbers = (x1, x2, y1, y2)
        if any(isinstance(value, int) and value > _LARGEST_SIDE for value in numbers):
            raise UsageError(f"cropping is in pixels of the frame, up to {_LARGEST_SIDE}; got {shown(list(numbers))}")
        if any(not is_number(value) or value != int(value) for value in numbers):
            raise UsageError(f"cropping takes whole pixels x1, x2, y1, y2; got {shown(list(numbers))}")
        if not (0 <= x1 < x2 and 0 <= y1 < y2):
            raise UsageError(f"cropping takes x1 < x2 and y1 < y2, none below 0; got x1, x2, y1, y2 = {list(numbers)}")
        self.x1, self.x2, self.y1, self.y2 = (int(value) for value in numbers)
        self._transform = CropTransform((float(x1), float(y1)))

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        height, width = image.shape[:2]
        if self.x2 > width or self.y2 > height:
            raise UsageError(
                f"cropping x1, x2, y1, y2 = {[self.x1, self.x2, self.y1, self.y2]} reaches outside the frame of "
                f"{width} x {height} pixels"
            )
        return image[self.y1 : self.y2, self.x1 : self.x2], self._transform

    def require(self, least: Shape) -> Shape:
        return self.y2, self.x2


class Resize(Region):
    """The whole image, smaller or larger by a factor, bilinear (OpenCV's INTER_LINEAR, as in DeepLabCut-live).

    The sides become int(side * factor). Keypoints map back by the ratio of the actual sizes, so each axis is exact.
    """

    def __init__(self, factor: float) -> None:
        if not (is_number(factor) and factor > 0):
            raise UsageError(f"resize takes a factor above 0, for example 0.5; got {shown(factor)}")
        self.factor = float(factor)
        self._shape: tuple[int, int] | None = None
        self._size = (0, 0)
        self._transform = IDENTITY

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        _opencv()
        height, width = image.shape[:2]
        if self._shape != (height, width):  # computed once per source, not per frame
            size = (int(width * self.factor), int(height * self.factor))
            if 0 in size:
                raise UsageError(f"resize {self.factor} leaves nothing of a {width} x {height} frame")
            self._shape, self._size = (height, width), size
            self._transform = CropTransform((0.0, 0.0), (width / size[0], height / size[1]))
        if self._size == (width, height):
            return image, IDENTITY
        return _resize(image, self._size), self._transform

    def require(self, least: Shape) -> Shape:
        return self._least_side(least[0]), self._least_side(least[1])

    def _least_side(self, resized: int) -> int:
        """The shortest side that becomes at least `resized` pixels."""
        side = math.ceil(min(resized / self.factor, _LARGEST_SIDE))
        return side if int(side * self.factor) >= resized else side + 1  # floating point: 33 * (1 / 33) may be below 1


class ResizeTo(Region):
    """The whole image, resized to `width` x `height`, bilinear as `Resize`; the sides may scale by different factors."""

    def __init__(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise UsageError(f"a size of {width} x {height} pixels is empty")
        self.width, self.height = int(width), int(height)

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        height, width = image.shape[:2]
        if (height, width) == (self.height, self.width):
            return image, IDENTITY
        transform = CropTransform((0.0, 0.0), (width / self.width, height / self.height))
        return _resize(image, (self.width, self.height)), transform

    def require(self, least: Shape) -> Shape:
        return 1, 1


def fit_to_model(chain: Chain, *cards: ModelCard) -> None:
    """Tell a crop that follows the animal how small an image the model takes; refuse one that does not suit it.

    Args:
        cards: of the model: several, if an image may go to one of several networks.

    Raises:
        UsageError: a window of constant size is too small; or the model's configuration would scale the crop with its size.
    """
    for card in cards:
        if chain.follows and card.preparation is not None and card.preparation.scales:
            raise UsageError(
                f"a crop that follows the animal is enlarged by the configuration of {card.net_type}, which resizes images "
                "(data.inference): use a fixed crop (cropping), or whole images"
            )
    chain.require((max(card.least_image[0] for card in cards), max(card.least_image[1] for card in cards)))


class Chain(Region):
    """Nested regions: each is cut out of what the one before it left."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self.regions = tuple(regions)
        self._transforms: list[CropTransform] = []

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        self._transforms = []
        total = IDENTITY
        for region in self.regions:
            self._transforms.append(total)  # of this region's input image
            image, transform = region.cut(image)
            total = transform.within(total)
        return image, total

    def follow(self, pose: Pose) -> None:
        """Give each region the pose in pixels of that region's own input image."""
        for region, transform in zip(self.regions, self._transforms, strict=True):
            if _follows(region):
                inside = pose if transform == IDENTITY else _pose_to_inner(transform, pose)
                region.follow(inside)

    def views(self, shape: Shape) -> list[Shape]:
        """The shapes that the innermost region may return."""
        shapes = [shape]
        for region in self.regions:
            shapes = list(dict.fromkeys(view for each in shapes for view in region.views(each)))
        return shapes

    def require(self, least: Shape) -> Shape:
        for region in reversed(self.regions):
            least = region.require(least)
        return least

    @property
    def follows(self) -> bool:
        """Whether the cut depends on the pose in the previous image."""
        return any(_follows(region) for region in self.regions)

    @property
    def looks_again(self) -> bool:
        """Whether any of the regions does."""
        return any(region.looks_again for region in self.regions)

    def reset(self) -> None:
        for region in self.regions:
            region.reset()


def is_number(value: object) -> bool:
    """Whether it is a finite number, Python's or NumPy's."""
    try:
        return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError:
        raise DependencyError(f"resize needs OpenCV; run: {install_command(RESIZE)}") from None
    return cv2


def _resize(image: Image, size: tuple[int, int]) -> Image:
    """Bilinear, to (width, height)."""
    cv2 = _opencv()
    resized: Image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return resized


def _follows(region: Region) -> bool:
    return type(region).follow is not Region.follow


def _pose_to_inner(transform: CropTransform, pose: Pose) -> Pose:
    return Pose(transform.to_inner(pose.keypoints), pose.skeleton, unlike=pose.unlike)
