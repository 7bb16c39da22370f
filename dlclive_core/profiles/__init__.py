"""Profiles: the fastest way to run a model on one machine, measured by `dlclive tune` and saved beside the model."""

from dlclive_core.profiles.active_profile import choose_regions, find_profile, variant_path
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import SUFFIX, Profile, TableRow, Variant, profile_path
from dlclive_core.profiles.profile_json import profile_to_json, read_profile

__all__ = [
    "SUFFIX",
    "Machine",
    "Profile",
    "TableRow",
    "Variant",
    "choose_regions",
    "find_profile",
    "profile_path",
    "profile_to_json",
    "read_profile",
    "variant_path",
]
