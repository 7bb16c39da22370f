"""Presence of an individual in a region, with debouncing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Presence:
    """Whether an individual is inside; changes only after several consecutive frames that differ.

    Attributes:
        inside: the debounced state.
        frames: number of consecutive frames that differ from it.
    """

    inside: bool = False
    frames: int = 0

    def update(self, inside: bool, debounce: int) -> bool:
        """Update with one frame; True if the state changed."""
        self.frames = 0 if inside == self.inside else self.frames + 1
        if self.frames < debounce:
            return False
        self.inside, self.frames = inside, 0
        return True
