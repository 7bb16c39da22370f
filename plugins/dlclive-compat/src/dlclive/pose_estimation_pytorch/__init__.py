"""Models of DeepLabCut 3."""

from dlclive.pose_estimation_pytorch.dynamic_cropping import DynamicCropper, TopDownDynamicCropper
from dlclive.pose_estimation_pytorch.runner import PyTorchRunner, SkipFrames, TopDownConfig

__all__ = ["DynamicCropper", "PyTorchRunner", "SkipFrames", "TopDownConfig", "TopDownDynamicCropper"]
