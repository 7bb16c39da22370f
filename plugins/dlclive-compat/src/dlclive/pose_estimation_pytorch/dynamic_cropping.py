"""How one animal is followed without a detector: the options of deeplabcut-live's croppers. dlclive_core does the cropping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from dlclive_core import UsageError


class _Cropper:
    def crop(self, image: Any) -> NoReturn:
        """Not here: pass the options to `DLCLive(top_down_dynamic=...)`."""
        raise UsageError(_ADVICE)

    def update(self, pose: Any) -> NoReturn:
        """Not here: pass the options to `DLCLive(top_down_dynamic=...)`."""
        raise UsageError(_ADVICE)

    def reset(self) -> None:
        """Nothing is remembered here."""


_ADVICE = (
    "croppers of tensors are not part of dlclive: pass top_down_dynamic={...} or dynamic=(True, 0.5, 10) to DLCLive"
)


@dataclass
class DynamicCropper(_Cropper):
    """A window around the animal, for networks that take whole images: `dynamic=(True, threshold, margin)` of `DLCLive`."""

    threshold: float
    margin: int


@dataclass
class TopDownDynamicCropper(_Cropper):
    """A box around the animal, for a top-down network without a detector: `top_down_dynamic` of `DLCLive`.

    Attributes:
        top_down_crop_size: ignored, the network knows its size.
        patch_counts: (across, down) parts in which a lost animal is searched, which share `patch_overlap` pixels.
        min_bbox_size: smallest (width, height) of the box, in pixels.
        threshold: likelihood from which a keypoint counts, `margin` the pixels around them.
        min_hq_keypoints: the animal is lost with fewer of them.
        bbox_from_hq: ignored: the box encloses the keypoints that count.
    """

    top_down_crop_size: tuple[int, int] = (256, 256)
    patch_counts: tuple[int, int] = (3, 2)
    patch_overlap: int = 50
    min_bbox_size: tuple[int, int] = (50, 50)
    threshold: float = 0.25
    margin: int = 10
    min_hq_keypoints: int = 2
    bbox_from_hq: bool = True
