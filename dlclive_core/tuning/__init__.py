"""Find the fastest way to run a model on this machine within an error bound, measured on the user's own clip."""

from typing import TYPE_CHECKING

from dlclive_core.tuning.plan import Budget, TunePlan, check_plan
from dlclive_core.tuning.saved_profile import check_profile_path, save_profile
from dlclive_core.tuning.search import SearchResult, search
from dlclive_core.tuning.split_clip import ClipSplit, split_clip
from dlclive_core.tuning.trial import Trial

__all__ = [
    "Budget",
    "ClipSplit",
    "SearchResult",
    "Trial",
    "TunePlan",
    "check_plan",
    "check_profile_path",
    "save_profile",
    "search",
    "split_clip",
]

_RENAMED = {
    "Found": "SearchResult",
    "Frames": "ClipSplit",
    "Tried": "Trial",
    "check_place": "check_profile_path",
    "keep": "save_profile",
}


if not TYPE_CHECKING:  # to the type checker an old name is unknown

    def __getattr__(name: str) -> object:
        if name in _RENAMED:
            raise ImportError(f"dlclive_core.tuning.{name} is now {_RENAMED[name]}", name=__name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
