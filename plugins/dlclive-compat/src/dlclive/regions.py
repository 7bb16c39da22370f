"""What the network sees of a frame, by three options of `DLCLive`: dlclive_core's regions, with deeplabcut-live's rounding."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive import utils
from dlclive_core import (
    Chain,
    Crop,
    CropTransform,
    FollowingCrop,
    Pose,
    Region,
    Resize,
    Skeleton,
    UsageError,
    regions_from_deeplabcut_live,
)

_log = logging.getLogger(__name__)

Image = NDArray[np.uint8]
Array = NDArray[np.floating[Any]]


@dataclass(slots=True, eq=False)
class FrameView:
    """One frame on its way through `DLCLive`.

    Attributes:
        frame: the whole frame.
        image: what the network sees of it.
        transform: from pixels of the image to pixels of the frame.
        captured_at: `time.perf_counter()` when the frame came.
        is_own: whether the caller runs the network on the image, instead of `DLCLive.get_pose`.
        is_known: whether the processor has seen this frame in `init_inference`.
        seen: what the network saw of it in a second look; None without one.
        raw: the pose in pixels of the image, or of `seen`.
        pose: the pose in pixels of the frame, before the processor.
        is_done: whether the processor has been given the pose.
    """

    frame: Image
    image: Image
    transform: CropTransform
    captured_at: float
    is_own: bool = True
    is_known: bool = False
    seen: Image | None = None
    raw: Array | None = None
    pose: Array | None = None
    is_done: bool = False


class Regions:
    """Cuts what the network sees out of frames, and follows the animal."""

    def __init__(self) -> None:
        self._settings: object = None
        self._crop, self._dynamic = (0, 0), False
        self.chain = Chain([])
        self._skeleton = Skeleton(("0",))
        self._least = (1, 1)

    def configure(
        self,
        shape: tuple[int, int],
        cropping: Sequence[int] | None,
        dynamic: Sequence[Any],
        resize: float | None,
        others: Callable[[], Sequence[Region]] = tuple,
    ) -> None:
        """Take the options, which a script may have changed since the last frame, or frames of another size.

        Args:
            shape: (height, width) of the frames.
            cropping: [x1, x2, y1, y2], clipped to the frame.
            dynamic: (state, threshold, margin).
            resize: factor.
            others: what is used if none of these is set. Called when something has changed.

        Raises:
            UsageError: an option is not what it should be.
        """
        settings = (shape, _values(cropping), _values(dynamic), resize)
        if settings == self._settings:  # on the path of every frame
            return
        regions_from_deeplabcut_live(cropping, dynamic, resize)  # checks them
        regions: list[Region] = []
        self._crop, self._dynamic = (0, 0), False
        if cropping is not None and len(cropping):
            x1, x2, y1, y2 = _clipped(cropping, shape)
            regions.append(Crop(x1, x2, y1, y2))
            self._crop = (x1, y1)
        if dynamic[0]:
            regions.append(WholePixelCrop(dynamic[1], dynamic[2]))
            self._dynamic = True
        if resize is not None and resize != 1:
            regions.append(ResizedFrame(resize))
        self.chain = Chain(regions or others())
        self.chain.require(self._least)
        self._settings = settings

    def require(self, least: tuple[int, int]) -> None:
        """Make a window no smaller than the network takes, (height, width), from the next frame on."""
        if least != self._least:
            self._least = least
            self.chain.require(least)

    def cut(self, frame: Image) -> tuple[Image, CropTransform]:
        """What the network is to see of a frame, and where it lies."""
        return self.chain.cut(frame)

    def window(self, frame: Image, image: Image, transform: CropTransform) -> list[int] | None:
        """[x1, x2, y1, y2] of the window of `dynamic`, in pixels of the cropped frame; None: the whole."""
        following = [region for region in self.chain.regions if isinstance(region, FollowingCrop)]
        if not self._dynamic or not following or not following[0].is_following:
            return None
        (x, y), (wide, high) = transform.offset, transform.scale
        x1, y1 = round(x) - self._crop[0], round(y) - self._crop[1]
        return [x1, x1 + round(image.shape[1] * wide), y1, y1 + round(image.shape[0] * high)]

    def reset(self) -> None:
        """Forget where the animal was."""
        self.chain.reset()

    def follow(self, pose: Array) -> None:
        """Look for the animal here in the next frame: (K, 3) or (N, K, 3) in pixels of the last frame."""
        if self.chain.follows:
            self.chain.follow(self._pose(pose))

    def steer(self, frame: Image, pose: Array) -> None:
        """Look for the animal in a frame where the caller says that it is."""
        if self.chain.follows:
            self.chain.cut(frame)  # a chain follows what it has cut
            self.chain.follow(self._pose(pose))

    def _pose(self, array: Array) -> Pose:
        if np.ndim(array) not in (2, 3) or np.shape(array)[-1] < 3:
            raise UsageError(f"pose has shape {np.shape(array)}; set an array of shape (K, 3) or (N, K, 3)")
        keypoints = np.array(array, np.float32).reshape(-1, *np.shape(array)[-2:])[..., :3]
        if len(self._skeleton) != keypoints.shape[1]:
            self._skeleton = Skeleton(tuple(str(number) for number in range(keypoints.shape[1])))
        keypoints[(keypoints == 0).all(axis=-1)] = (np.nan, np.nan, 0)
        return Pose(keypoints, self._skeleton)


class WholePixelCrop(FollowingCrop):
    """A window around whole pixels, as in deeplabcut-live: networks see the same pixels there and here."""

    def follow(self, pose: Pose) -> None:
        keypoints = pose.keypoints.copy()
        keypoints[..., :2] = np.trunc(keypoints[..., :2])
        super().follow(replace(pose, keypoints=keypoints))


class ResizedFrame(Region):
    """The whole image, resized by `utils.resize_frame`, which a caller may replace. Each side maps back by its own ratio."""

    def __init__(self, factor: float) -> None:
        self._resize = Resize(factor)
        self._factor = self._resize.factor

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        resized = utils.resize_frame(image, self._factor)
        scale = (image.shape[1] / resized.shape[1], image.shape[0] / resized.shape[0])
        return resized, CropTransform((0.0, 0.0), scale)

    def require(self, least: tuple[int, int]) -> tuple[int, int]:
        return self._resize.require(least)


def in_frame(pose: Array, transform: CropTransform) -> Array:
    """A pose in pixels of the frame. A keypoint that was not found, (0, 0, 0), stays so."""
    outer: Array = transform.to_outer(pose)
    outer[(pose == 0).all(axis=-1)] = 0
    return outer


def _values(option: object) -> object:
    """An option as it is now, to tell later whether it was changed, also in place."""
    return tuple(option) if isinstance(option, Sequence | np.ndarray) else option


def _clipped(cropping: Sequence[int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    x1, x2, y1, y2 = cropping
    right, bottom = min(x2, shape[1]), min(y2, shape[0])
    if (right, bottom) != (x2, y2):
        _log.warning(
            "cropping x1, x2, y1, y2 = %s reaches outside the frame of %d x %d pixels; it ends at the edge",
            list(cropping),
            shape[1],
            shape[0],
        )
    return x1, right, y1, bottom
