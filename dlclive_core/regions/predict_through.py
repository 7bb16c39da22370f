"""Prediction on a region of an image."""

from __future__ import annotations

from collections.abc import Callable

from dlclive_core.data.pose import Pose
from dlclive_core.regions.region import Image, Region


def predict_through(region: Region, image: Image, predict: Callable[[Image], Pose]) -> Pose:
    """Run `predict` on a region of an (H, W, 3) or (H, W) image and return the pose in pixels of the image.

    The region follows the pose. If it then asks for a second look, at most one, the second pose is returned.
    """
    pose = _predict_once(region, image, predict)
    return _predict_once(region, image, predict) if region.looks_again else pose


def _predict_once(region: Region, image: Image, predict: Callable[[Image], Pose]) -> Pose:
    view, transform = region.cut(image)
    pose = transform.pose_to_outer(predict(view))
    region.follow(pose)
    return pose
