"""Profiles: the fastest way to run a model on one machine, as `dlclive tune` measured it, in a file beside the model."""

from dlclive_core.profiles.active_profile import choose_regions, find_profile, variant_path
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import SUFFIX, Measured, Profile, Variant, profile_path
from dlclive_core.profiles.profile_json import profile_to_json, read_profile

__all__ = [
    "SUFFIX",
    "Machine",
    "Measured",
    "Profile",
    "Variant",
    "choose_regions",
    "find_profile",
    "profile_path",
    "profile_to_json",
    "read_profile",
    "variant_path",
]
