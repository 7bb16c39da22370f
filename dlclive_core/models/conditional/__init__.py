"""Conditional top-down: searches for each animal at its last pose, or where a bottom-up model found it."""

from dlclive_core.models.conditional.model import ConditionalModel
from dlclive_core.models.conditional.tracking_rules import TrackingRules

__all__ = ["ConditionalModel", "TrackingRules"]
