"""Top-down: find the animals, crop each, find its keypoints, and transform them back to the frame."""

from dlclive_core.models.topdown.crops import CropRules, cut_boxes
from dlclive_core.models.topdown.model import TopDownModel

__all__ = ["CropRules", "TopDownModel", "cut_boxes"]
