"""A small network for one rig: what is asked for, how it is judged, and what came of it. A plugin does the work."""

from dlclive_core.distillation.distill import distill_model
from dlclive_core.distillation.judgement import ConfidenceBin, Distances, HumanErrors, Judgement
from dlclive_core.distillation.plan import DistillPlan
from dlclive_core.distillation.result import Distilled, DistillProgress

__all__ = [
    "ConfidenceBin",
    "Distances",
    "DistillPlan",
    "DistillProgress",
    "Distilled",
    "HumanErrors",
    "Judgement",
    "distill_model",
]
