"""Finds the fastest way to run a model on this machine within an error bound, measured on the user's own clip."""

from dlclive_core.tuning.plan import Budget, TunePlan, check_plan
from dlclive_core.tuning.saved_profile import check_profile_path, save_profile
from dlclive_core.tuning.search import SearchResult, search
from dlclive_core.tuning.split_clip import ClipSplit, split_clip, split_unseen
from dlclive_core.tuning.student import Student, beyond_the_bound, student_target
from dlclive_core.tuning.trial import Trial

__all__ = [
    "Budget",
    "ClipSplit",
    "SearchResult",
    "Student",
    "Trial",
    "TunePlan",
    "beyond_the_bound",
    "check_plan",
    "check_profile_path",
    "save_profile",
    "search",
    "split_clip",
    "split_unseen",
    "student_target",
]
