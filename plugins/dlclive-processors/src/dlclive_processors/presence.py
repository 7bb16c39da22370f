"""Whether an individual is in a region, with hysteresis in frames."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Presence:
    """In or out; it takes several frames in a row that say otherwise to change.

    Attributes:
        inside: the state.
        frames: how many frames in a row have said otherwise.
    """

    inside: bool = False
    frames: int = 0

    def update(self, inside: bool, debounce: int) -> bool:
        """Take what one frame says; True if that changed the state."""
        self.frames = 0 if inside == self.inside else self.frames + 1
        if self.frames < debounce:
            return False
        self.inside, self.frames = inside, 0
        return True
