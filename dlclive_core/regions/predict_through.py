"""Looking at an image through a region."""

from __future__ import annotations

from collections.abc import Callable

from dlclive_core.data.pose import Pose
from dlclive_core.regions.region import Image, Region


def predict_through(region: Region, image: Image, predict: Callable[[Image], Pose]) -> Pose:
    """The pose of an (H, W, 3) or (H, W) image, in its pixels: what the region leaves of it is given to `predict`.

    The region sees the pose; where it then wants to look again, which it does once, the second pose is the answer.
    """
    pose = _look_once(region, image, predict)
    return _look_once(region, image, predict) if region.looks_again else pose


def _look_once(region: Region, image: Image, predict: Callable[[Image], Pose]) -> Pose:
    view, transform = region.cut(image)
    pose = transform.pose_to_outer(predict(view))
    region.follow(pose)
    return pose
