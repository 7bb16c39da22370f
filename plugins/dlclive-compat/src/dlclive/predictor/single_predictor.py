"""`HeatmapPredictor`, where deeplabcut-live has it."""

from dlclive.predictor import HeatmapPredictor

__all__ = ["HeatmapPredictor"]
