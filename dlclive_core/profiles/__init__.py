"""Profiles: how a model is best run on one machine, as `dlclive tune` found it out, in a file beside the model."""

from dlclive_core.profiles.choice import profile_of, regions_or_own, variant_path
from dlclive_core.profiles.machine import Machine
from dlclive_core.profiles.profile import SUFFIX, Measured, Profile, Variant, profile_path
from dlclive_core.profiles.profile_json import profile_to_json, read_profile

__all__ = [
    "SUFFIX",
    "Machine",
    "Measured",
    "Profile",
    "Variant",
    "profile_of",
    "profile_path",
    "profile_to_json",
    "read_profile",
    "regions_or_own",
    "variant_path",
]
