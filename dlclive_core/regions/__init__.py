"""Regions of the frame that a model looks at, each with an exact way back for keypoints."""

from dlclive_core.regions.crop_transform import CropTransform
from dlclive_core.regions.following import FollowingCropSpec
from dlclive_core.regions.following_crop import FollowingCrop
from dlclive_core.regions.predict_through import predict_through
from dlclive_core.regions.region import Chain, Crop, Region, Resize

__all__ = [
    "Chain",
    "Crop",
    "CropTransform",
    "FollowingCrop",
    "FollowingCropSpec",
    "Region",
    "Resize",
    "predict_through",
    "regions_from_options",
]


def regions_from_options(
    *,
    cropping: tuple[int, int, int, int] | None = None,
    dynamic: tuple[float, float] | None = None,
    resize: float | None = None,
) -> Chain:
    """The regions that DeepLabCut's users ask for with three options, in the order that makes them compose.

    The crop is cut first, the window follows inside the crop, and what is left is resized.

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
