"""Regions of the frame that a model sees, each with an exact transform of keypoints back to the frame."""

from dlclive_core.regions.crop_transform import CropTransform
from dlclive_core.regions.deeplabcut_live import regions_from_deeplabcut_live
from dlclive_core.regions.following_crop import FollowingCrop, FollowingCropSpec
from dlclive_core.regions.predict_through import predict_through
from dlclive_core.regions.region import Chain, Crop, Region, Resize, ResizeTo, fit_to_model

__all__ = [
    "Chain",
    "Crop",
    "CropTransform",
    "FollowingCrop",
    "FollowingCropSpec",
    "Region",
    "Resize",
    "ResizeTo",
    "fit_to_model",
    "predict_through",
    "regions_from_deeplabcut_live",
    "regions_from_options",
]


def regions_from_options(
    *,
    cropping: tuple[int, int, int, int] | None = None,
    dynamic: tuple[float, float] | None = None,
    resize: float | None = None,
) -> Chain:
    """Build the regions for DeepLabCut's three options, in the order in which they compose.

    The crop is cut first, the window follows the animal inside the crop, and the result is resized.

    Args:
        cropping: (x1, x2, y1, y2) in pixels.
        dynamic: (threshold, margin) of the following crop.
        resize: factor.
    """
    regions: list[Region] = []
    if cropping is not None:
        regions.append(Crop(*cropping))
    if dynamic is not None:
        regions.append(FollowingCrop(threshold=dynamic[0], margin=dynamic[1]))
    if resize is not None and resize != 1:
        regions.append(Resize(resize))
    return Chain(regions)
