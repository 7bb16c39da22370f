"""A crop that follows the animal: `FollowingCrop` at work, `FollowingCropSpec` as a value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dlclive_core.data.pose import Pose
from dlclive_core.data.renamed import renamed_keywords
from dlclive_core.errors import UsageError, shown
from dlclive_core.regions.crop_transform import IDENTITY, CropTransform
from dlclive_core.regions.region import Image, Region, Shape, is_number


class FollowingCrop(Region):
    """A window around the animal's last position; the whole image until the animal is found and after it is lost.

    The window encloses all keypoints with a confidence above `threshold`, plus `margin` pixels on each side, clipped to the
    image. Where that is less than the model takes, the window grows about its centre, inside the image. If no keypoint
    exceeds the threshold, the animal is lost: the model then searches the whole of the next frame, or, with `at_once`, of
    this one.

    Args:
        threshold: confidence above which a keypoint counts.
        margin: pixels around the keypoints; at least the distance that the animal moves between two frames.
        window: (width, height) of a window of constant size, centred on the keypoints and shifted to lie inside the image;
            for runtimes that are fastest with one shape. It does not grow when keypoints do not fit.
        at_once: search the whole of the same image for a lost animal, at the cost of a second inference. By default the
            search waits for the next image, as in DeepLabCut-live, and the pose from the window stands.
        align: align the window's origin to multiples of this many pixels, except where the far edge of the image
            pushes it back. A network samples its input at its stride; off that grid, predictions differ by fractions
            of a pixel from those on the whole image.
        rotates: turn the window's longer side along the animal's longer axis, x or y, instead of leaving it as `window`
            gives it. A long animal then has more room on all sides, with as many pixels.
    """

    @renamed_keywords(turns="rotates")
    def __init__(
        self,
        threshold: float = 0.5,
        margin: float = 10,
        window: tuple[int, int] | None = None,
        *,
        at_once: bool = False,
        align: int = 1,
        rotates: bool = False,
    ) -> None:
        if not (is_number(threshold) and 0 <= threshold <= 1):
            raise UsageError(f"the dynamic threshold is a confidence from 0 to 1; got {shown(threshold)}")
        if not (is_number(margin) and margin >= 0):
            raise UsageError(f"the dynamic margin must be 0 pixels or more; got {shown(margin)}")
        if window is not None and min(window) < 1:
            raise UsageError(f"a window of {window[0]} x {window[1]} pixels is empty")
        if align < 1:
            raise UsageError(f"align must be 1 pixel or more; got {shown(align)}")
        if rotates and window is None:
            raise UsageError("only a window of constant size rotates: give window=(width, height)")
        self.threshold, self.margin, self.window = float(threshold), float(margin), window
        self.at_once, self.align, self.rotates = at_once, int(align), rotates
        self._box: tuple[float, float, float, float] | None = None
        self._least: Shape = (1, 1)
        self._was_cut = False  # whether the last cut was less than the whole image

    @property
    def is_following(self) -> bool:
        """Whether the next frame will be cropped."""
        return self._box is not None

    @property
    def looks_again(self) -> bool:
        """Whether the animal was just lost in a window, so that the whole image must be searched at once."""
        return self.at_once and self._was_cut and self._box is None

    def reset(self) -> None:
        self._box, self._was_cut = None, False

    def views(self, shape: Shape) -> list[Shape]:
        """The whole image, and a window of constant size, in both orientations if it rotates."""
        if self.window is None:
            return [shape]
        width, height = self.window
        windows = [(height, width), (width, height)] if self.rotates else [(height, width)]
        return list(dict.fromkeys([shape, *((min(high, shape[0]), min(wide, shape[1])) for high, wide in windows)]))

    def require(self, least: Shape) -> Shape:
        """See `Region.require`. Raises UsageError if a window of constant size is smaller."""
        if self.window is not None:
            width, height = self.window
            windows = [(height, width), (width, height)] if self.rotates else [(height, width)]
            if any(high < least[0] or wide < least[1] for high, wide in windows):
                raise UsageError(
                    f"a window of {width} x {height} pixels is smaller than the model takes, which is {least[1]} x "
                    f"{least[0]} pixels of the frame: give a larger window"
                )
        self._least = least
        return least

    def follow(self, pose: Pose) -> None:
        """Remember where the animals are. NaN and keypoints at or below the threshold are ignored."""
        confident = pose.keypoints[pose.confidence > self.threshold]
        confident = confident[np.isfinite(confident[:, :2]).all(axis=1)]
        if not len(confident):
            self._box = None
            return
        (x1, y1), (x2, y2) = confident[:, :2].min(axis=0), confident[:, :2].max(axis=0)
        self._box = (float(x1), float(y1), float(x2), float(y2))

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        self._was_cut = False
        if self._box is None:
            return image, IDENTITY
        height, width = image.shape[:2]
        x1, y1, x2, y2 = self._box
        wide, high = self._window(x2 - x1, y2 - y1)
        left, right = _span(x1, x2, self.margin, wide, width, self.align, self._least[1])
        top, bottom = _span(y1, y2, self.margin, high, height, self.align, self._least[0])
        if left >= right or top >= bottom:  # all keypoints lie beyond the edge of the image
            self._box = None
            return image, IDENTITY
        self._was_cut = True
        return image[top:bottom, left:right], CropTransform((float(left), float(top)))

    def _window(self, width: float, height: float) -> tuple[int, int] | tuple[None, None]:
        """(width, height) of the window for an animal of this width and height; None: as large as the animal."""
        if self.window is None:
            return None, None
        if not self.rotates:
            return self.window
        short, long = sorted(self.window)
        return (long, short) if width >= height else (short, long)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingCropSpec:
    """A `FollowingCrop` as a value, for candidates and profiles, which are compared and saved.

    Attributes:
        threshold: confidence above which a keypoint counts.
        margin: pixels around the keypoints.
        window: (width, height) of a window of constant size; None: as large as the animal plus the margin.
        at_once: search the whole of the same frame for a lost animal.
        align: align the window's origin to multiples of this many pixels.
        rotates: turn the window's longer side along the animal's longer axis.
    """

    threshold: float = 0.5
    margin: float = 10.0
    window: tuple[int, int] | None = None
    at_once: bool = False
    align: int = 1
    rotates: bool = False

    @property
    def label(self) -> str:
        """For tables: "following 256x192", WIDTHxHEIGHT; "or 192x256" where it rotates."""
        if self.window is None:
            return "following"
        width, height = self.window
        return f"following {width}x{height}" + (f" or {height}x{width}" if self.rotates else "")

    def region(self) -> FollowingCrop:
        """A new crop with this configuration, not yet following anything."""
        return FollowingCrop(
            self.threshold, self.margin, self.window, at_once=self.at_once, align=self.align, rotates=self.rotates
        )


def _span(
    low: float, high: float, margin: float, size: int | None, limit: int, align: int, least: int
) -> tuple[int, int]:
    """First pixel and one past the last, along one axis."""
    if size is None:
        first = max(0, math.floor((low - margin) / align) * align)
        last = min(limit, math.ceil((high + margin) / align) * align)
        if last - first >= min(least, limit) or first >= last:
            return first, last
        size, low, high = least, first, last  # as little as the model takes
    size = min(size, limit)
    first = min(max(0, round(((low + high) / 2 - size / 2) / align) * align), limit - size)
    return first, first + size
