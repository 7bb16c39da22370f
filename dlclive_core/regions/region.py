"""Regions of the frame that a model looks at: a fixed crop, a smaller picture, and several, one inside the other."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.errors import DependencyError, UsageError
from dlclive_core.machine.known_packages import INSTALL_RESIZE
from dlclive_core.regions.crop_transform import IDENTITY, CropTransform

Image = NDArray[np.uint8]
Shape = tuple[int, int]
"""(height, width) in pixels: the first two of an image's shape. A size is (width, height)."""


class Region(ABC):
    """Cuts a region out of an image. Used by one thread at a time."""

    @abstractmethod
    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        """Return the region of an (H, W, 3) or (H, W) image, and where it lies in it. Raises UsageError if it cannot be."""

    def follow(self, pose: Pose) -> None:
        """See the pose that was found after `cut`, in pixels of the image that was given to `cut`."""

    def views(self, shape: Shape) -> list[Shape]:
        """The shapes that `cut` may make of an image of this one, as far as they are known before; that of the first cut first.

        For warming up: some runtimes take long when a shape comes for the first time.
        """
        image, _ = self.cut(np.zeros((*shape, 3), np.uint8))
        return [(image.shape[0], image.shape[1])]

    @property
    def looks_again(self) -> bool:
        """Whether the image that was cut last should be cut and looked at once more, now that its pose was seen."""
        return False

    def reset(self) -> None:
        """Forget what was followed."""


class Crop(Region):
    """A fixed rectangle, [x1, x2) by [y1, y2) in pixels, in DeepLabCut's order (x1, x2, y1, y2)."""

    def __init__(self, x1: int, x2: int, y1: int, y2: int) -> None:
        numbers = (x1, x2, y1, y2)
        if any(isinstance(value, bool) or value != int(value) for value in numbers):
            raise UsageError(f"cropping takes whole pixels x1, x2, y1, y2; got {list(numbers)}")
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


class Resize(Region):
    """The whole image, smaller or larger by a factor, bilinear (OpenCV's INTER_LINEAR, as in DeepLabCut-live).

    The sides become int(side * factor); the way back uses the ratio of the real sizes, so it is exact on each axis.
    """

    def __init__(self, factor: float) -> None:
        if not (math.isfinite(factor) and factor > 0):
            raise UsageError(f"resize takes a factor above 0, for example 0.5; got {factor}")
        self.factor = float(factor)
        self._shape: tuple[int, int] | None = None
        self._size = (0, 0)
        self._transform = IDENTITY

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        try:
            import cv2
        except ImportError:
            raise DependencyError(f"resize needs OpenCV; run: {INSTALL_RESIZE}") from None
        height, width = image.shape[:2]
        if self._shape != (height, width):  # worked out once for a source, not for each frame
            size = (int(width * self.factor), int(height * self.factor))
            if 0 in size:
                raise UsageError(f"resize {self.factor} leaves nothing of a {width} x {height} frame")
            self._shape, self._size = (height, width), size
            self._transform = CropTransform((0.0, 0.0), (width / size[0], height / size[1]))
        if self._size == (width, height):
            return image, IDENTITY
        return cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR), self._transform  # type: ignore[return-value]


class Chain(Region):
    """Regions one inside the other: each is cut out of what the one before left."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self.regions = tuple(regions)
        self._transforms: list[CropTransform] = []

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        self._transforms = []
        total = IDENTITY
        for region in self.regions:
            self._transforms.append(total)  # of the image that this region was given
            image, transform = region.cut(image)
            total = transform.within(total)
        return image, total

    def follow(self, pose: Pose) -> None:
        """Each region sees the pose in the pixels of the image that it was given itself."""
        for region, transform in zip(self.regions, self._transforms, strict=True):
            if _follows(region):
                inside = pose if transform == IDENTITY else _pose_to_inner(transform, pose)
                region.follow(inside)

    def views(self, shape: Shape) -> list[Shape]:
        """Of the innermost region."""
        shapes = [shape]
        for region in self.regions:
            shapes = list(dict.fromkeys(view for each in shapes for view in region.views(each)))
        return shapes

    @property
    def follows(self) -> bool:
        """Whether what is cut out of an image depends on the pose in the one before."""
        return any(_follows(region) for region in self.regions)

    @property
    def looks_again(self) -> bool:
        """Whether one of them does."""
        return any(region.looks_again for region in self.regions)

    def reset(self) -> None:
        for region in self.regions:
            region.reset()


def _follows(region: Region) -> bool:
    return type(region).follow is not Region.follow


def _pose_to_inner(transform: CropTransform, pose: Pose) -> Pose:
    return Pose(transform.to_inner(pose.keypoints), pose.skeleton)
