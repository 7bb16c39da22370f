"""Conditional top-down: each animal is looked for where its last pose, or a bottom-up model, says that it is."""

from dlclive_core.conditional.model import ConditionalModel
from dlclive_core.conditional.rules import TrackingRules

__all__ = ["ConditionalModel", "TrackingRules"]
