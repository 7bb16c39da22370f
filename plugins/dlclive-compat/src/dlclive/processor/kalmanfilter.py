"""The Kalman filter that predicts the pose at the moment when the processor is done."""

from dlclive_processors import KalmanFilterPredictor

__all__ = ["KalmanFilterPredictor"]
