"""The students: their networks, their training, and their guard."""

from dlclive_distill.training.contract import TrainedStudent, TrainingProgress, TrainingSettings
from dlclive_distill.training.course import train

__all__ = ["TrainedStudent", "TrainingProgress", "TrainingSettings", "train"]
