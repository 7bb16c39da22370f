"""Top-down: find where the animals are, cut each out, find its keypoints, and go back to the frame."""

from dlclive_core.models.topdown.crops import CropRules, cut_boxes
from dlclive_core.models.topdown.model import TopDownModel

__all__ = ["CropRules", "TopDownModel", "cut_boxes"]
