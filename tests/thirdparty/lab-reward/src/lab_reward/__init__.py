"""Our lab's processors for dlclive."""

from lab_reward.speed import SpeedGate

__all__ = ["SpeedGate"]
