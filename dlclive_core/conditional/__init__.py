"""Conditional top-down: each animal is looked for where its last pose, or a bottom-up model, says that it is."""

from dlclive_core.conditional.model import ConditionalModel

__all__ = ["ConditionalModel"]
