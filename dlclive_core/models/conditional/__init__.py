"""Conditional top-down: each animal is looked for where its last pose, or a bottom-up model, says that it is."""

from dlclive_core.models.conditional.model import ConditionalModel
from dlclive_core.models.conditional.tracking_rules import TrackingRules

__all__ = ["ConditionalModel", "TrackingRules"]
