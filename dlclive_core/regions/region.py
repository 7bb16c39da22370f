"""Regions of the frame that a model looks at: a fixed crop, a smaller picture, a window that follows the animal."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import DependencyError, UsageError
from dlclive_core.pose import Pose
from dlclive_core.regions.placement import IDENTITY, Placement

Image = NDArray[np.uint8]


class Region(ABC):
    """Cuts a region out of an image. Used by one thread at a time."""

    @abstractmethod
    def cut(self, image: Image) -> tuple[Image, Placement]:
        """Return the region of an (H, W, 3) or (H, W) image, and where it lies in it. Raises UsageError if it cannot be."""

    def follow(self, pose: Pose) -> None:
        """See the pose that was found after `cut`, in pixels of the image that was given to `cut`."""

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
        self._placement = Placement((float(x1), float(y1)))

    def cut(self, image: Image) -> tuple[Image, Placement]:
        height, width = image.shape[:2]
        if self.x2 > width or self.y2 > height:
            raise UsageError(
                f"cropping x1, x2, y1, y2 = {[self.x1, self.x2, self.y1, self.y2]} reaches outside the frame of "
                f"{width} x {height} pixels"
            )
        return image[self.y1 : self.y2, self.x1 : self.x2], self._placement


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
        self._placement = IDENTITY

    def cut(self, image: Image) -> tuple[Image, Placement]:
        try:
            import cv2
        except ImportError:
            raise DependencyError("resize needs OpenCV; run: pip install 'dlclive-core[resize]'") from None
        height, width = image.shape[:2]
        if self._shape != (height, width):  # worked out once for a source, not for each frame
            size = (int(width * self.factor), int(height * self.factor))
            if 0 in size:
                raise UsageError(f"resize {self.factor} leaves nothing of a {width} x {height} frame")
            self._shape, self._size = (height, width), size
            self._placement = Placement((0.0, 0.0), (width / size[0], height / size[1]))
        if self._size == (width, height):
            return image, IDENTITY
        return cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR), self._placement  # type: ignore[return-value]


class FollowingCrop(Region):
    """A window around the animal where it was last seen; the whole image until it is seen, and when it is lost.

    The window encloses all keypoints with a confidence above `threshold`, `margin` pixels wider on each side, cut at the
    image's edges. If no keypoint is above the threshold, the animal is lost and the next frame is searched whole, or, with
    `at_once`, this one.

    Args:
        threshold: confidence above which a keypoint counts.
        margin: pixels around the keypoints; at least as far as the animal moves between two frames.
        window: (width, height) of a window of constant size, centred on the keypoints and pushed inside the image:
            for runtimes that are fastest with one shape. Keypoints that do not fit into it enlarge nothing.
        at_once: whether a lost animal is looked for in the whole of the same image, which takes a second inference; else
            only in that of the next one, as in DeepLabCut-live, and this one's pose is what the window showed.
        align: the window begins at multiples of so many pixels, but for one pushed back from the image's far edge. A network
            sees its picture in steps of its stride, and gives other fractions of a pixel where these steps fall elsewhere than
            in the whole image.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        margin: float = 10,
        window: tuple[int, int] | None = None,
        *,
        at_once: bool = False,
        align: int = 1,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise UsageError(f"the dynamic threshold is a confidence from 0 to 1; got {threshold}")
        if not (math.isfinite(margin) and margin >= 0):
            raise UsageError(f"the dynamic margin is a number of pixels from 0 up; got {margin}")
        if window is not None and min(window) < 1:
            raise UsageError(f"a window of {window[0]} x {window[1]} pixels is empty")
        self.threshold, self.margin, self.window = float(threshold), float(margin), window
        if align < 1:
            raise UsageError(f"a window is aligned to a number of pixels from 1 up; got {align}")
        self.at_once, self.align = at_once, int(align)
        self._box: tuple[float, float, float, float] | None = None
        self._was_cut = False  # whether less than the whole image was looked at last

    @property
    def is_following(self) -> bool:
        """Whether the next frame will be cut."""
        return self._box is not None

    @property
    def looks_again(self) -> bool:
        """Whether the animal was lost in a window just now, and is looked for in the whole image at once."""
        return self.at_once and self._was_cut and self._box is None

    def reset(self) -> None:
        self._box, self._was_cut = None, False

    def follow(self, pose: Pose) -> None:
        """Remember where the animals are. NaN and keypoints at or below the threshold do not count."""
        sure = pose.keypoints[pose.confidence > self.threshold]
        sure = sure[np.isfinite(sure[:, :2]).all(axis=1)]
        if not len(sure):
            self._box = None
            return
        (x1, y1), (x2, y2) = sure[:, :2].min(axis=0), sure[:, :2].max(axis=0)
        self._box = (float(x1), float(y1), float(x2), float(y2))

    def cut(self, image: Image) -> tuple[Image, Placement]:
        self._was_cut = False
        if self._box is None:
            return image, IDENTITY
        height, width = image.shape[:2]
        x1, y1, x2, y2 = self._box
        wide, high = self.window or (None, None)
        left, right = _span(x1, x2, self.margin, wide, width, self.align)
        top, bottom = _span(y1, y2, self.margin, high, height, self.align)
        if left >= right or top >= bottom:  # all that was seen lies outside the image: the network drew past the edge
            self._box = None
            return image, IDENTITY
        self._was_cut = True
        return image[top:bottom, left:right], Placement((float(left), float(top)))


def _span(low: float, high: float, margin: float, size: int | None, limit: int, align: int) -> tuple[int, int]:
    """First and last-plus-one pixel along one axis."""
    if size is None:
        first = max(0, math.floor((low - margin) / align) * align)
        return first, min(limit, math.ceil((high + margin) / align) * align)
    size = min(size, limit)
    first = min(max(0, round(((low + high) / 2 - size / 2) / align) * align), limit - size)
    return first, first + size


class Chain(Region):
    """Regions one inside the other: each is cut out of what the one before left."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self.regions = tuple(regions)
        self._placements: list[Placement] = []

    def cut(self, image: Image) -> tuple[Image, Placement]:
        self._placements = []
        total = IDENTITY
        for region in self.regions:
            self._placements.append(total)  # of the image that this region was given
            image, placement = region.cut(image)
            total = placement.within(total)
        return image, total

    def follow(self, pose: Pose) -> None:
        """Each region sees the pose in the pixels of the image that it was given itself."""
        for region, placement in zip(self.regions, self._placements, strict=True):
            if _follows(region):
                inside = pose if placement == IDENTITY else _pose_to_inner(placement, pose)
                region.follow(inside)

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


def _pose_to_inner(placement: Placement, pose: Pose) -> Pose:
    return Pose(placement.to_inner(pose.keypoints), pose.skeleton)
