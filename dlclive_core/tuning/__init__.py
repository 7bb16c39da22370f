"""DetectionOptions the fastest way to run a model on this machine that stays within an error, on the user's own clip."""

from dlclive_core.tuning.plan import Budget, TunePlan, check_plan
from dlclive_core.tuning.saved_profile import check_place, keep
from dlclive_core.tuning.search import Found, search
from dlclive_core.tuning.split_clip import Frames, split_clip
from dlclive_core.tuning.trial import Tried

__all__ = [
    "Budget",
    "Found",
    "Frames",
    "Tried",
    "TunePlan",
    "check_place",
    "check_plan",
    "keep",
    "search",
    "split_clip",
]
