"""A window that follows the animal."""

from __future__ import annotations

import math

import numpy as np

from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError
from dlclive_core.regions.crop_transform import IDENTITY, CropTransform
from dlclive_core.regions.region import Image, Region, Shape


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
        rotates: the window's longer side lies as the animal's, along x or along y; else always along the axis that `window`
            says. A long animal has more room on all sides then, in as many pixels.
    """

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
        if not 0 <= threshold <= 1:
            raise UsageError(f"the dynamic threshold is a confidence from 0 to 1; got {threshold}")
        if not (math.isfinite(margin) and margin >= 0):
            raise UsageError(f"the dynamic margin is a number of pixels from 0 up; got {margin}")
        if window is not None and min(window) < 1:
            raise UsageError(f"a window of {window[0]} x {window[1]} pixels is empty")
        if align < 1:
            raise UsageError(f"a window is aligned to a number of pixels from 1 up; got {align}")
        if rotates and window is None:
            raise UsageError("only a window of constant size rotates: give window=(width, height)")
        self.threshold, self.margin, self.window = float(threshold), float(margin), window
        self.at_once, self.align, self.rotates = at_once, int(align), rotates
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

    def views(self, shape: Shape) -> list[Shape]:
        """The whole image, and where the window's size is constant, the window, both ways if it rotates."""
        if self.window is None:
            return [shape]
        width, height = self.window
        ways = [(height, width), (width, height)] if self.rotates else [(height, width)]
        return list(dict.fromkeys([shape, *((min(high, shape[0]), min(wide, shape[1])) for high, wide in ways)]))

    def follow(self, pose: Pose) -> None:
        """Remember where the animals are. NaN and keypoints at or below the threshold do not count."""
        sure = pose.keypoints[pose.confidence > self.threshold]
        sure = sure[np.isfinite(sure[:, :2]).all(axis=1)]
        if not len(sure):
            self._box = None
            return
        (x1, y1), (x2, y2) = sure[:, :2].min(axis=0), sure[:, :2].max(axis=0)
        self._box = (float(x1), float(y1), float(x2), float(y2))

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        self._was_cut = False
        if self._box is None:
            return image, IDENTITY
        height, width = image.shape[:2]
        x1, y1, x2, y2 = self._box
        wide, high = self._window(x2 - x1, y2 - y1)
        left, right = _span(x1, x2, self.margin, wide, width, self.align)
        top, bottom = _span(y1, y2, self.margin, high, height, self.align)
        if left >= right or top >= bottom:  # all that was seen lies outside the image: the network drew past the edge
            self._box = None
            return image, IDENTITY
        self._was_cut = True
        return image[top:bottom, left:right], CropTransform((float(left), float(top)))

    def _window(self, width: float, height: float) -> tuple[int, int] | tuple[None, None]:
        """(width, height) of the window for an animal of this width and height."""
        if self.window is None:
            return None, None
        if not self.rotates:
            return self.window
        short, long = sorted(self.window)
        return (long, short) if width >= height else (short, long)


def _span(low: float, high: float, margin: float, size: int | None, limit: int, align: int) -> tuple[int, int]:
    """First and last-plus-one pixel along one axis."""
    if size is None:
        first = max(0, math.floor((low - margin) / align) * align)
        return first, min(limit, math.ceil((high + margin) / align) * align)
    size = min(size, limit)
    first = min(max(0, round(((low + high) / 2 - size / 2) / align) * align), limit - size)
    return first, first + size
