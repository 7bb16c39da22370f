"""The family of students, from the fastest to the most exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlclive_core import UsageError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentKind:
    """One architecture.

    Attributes:
        name: as for `--student`.
        width: channels of the fine network at 4 pixels per cell.
        windowed: whether a coarse network finds the animal, and the fine one sees a window around it; otherwise the fine one
            sees the whole frame.
        reduction: each `reduction` x `reduction` pixels of what the fine network sees become one.
        halvings: of its stem.
    """

    name: str
    width: int
    windowed: bool = True
    reduction: int = 1
    halvings: int = 2

    @property
    def cell(self) -> int:
        """Pixels of the frame per cell of the maps."""
        return int(self.reduction * 2 ** (1 + self.halvings))


FAMILY = (
    StudentKind(name="window-small", width=16, reduction=2, halvings=1),
    StudentKind(name="window-medium", width=24, reduction=2, halvings=1),
    StudentKind(name="window-large", width=32, reduction=2, halvings=1),
    StudentKind(name="window-fine", width=32),
    StudentKind(name="whole", width=24, windowed=False, reduction=2),
)
"""In the order in which they are tried."""


def student_kind(name: str) -> StudentKind:
    """One of the family by its name. Raises UsageError, which suggests the nearest."""
    known = {kind.name: kind for kind in FAMILY}
    if name not in known:
        raise UsageError(f"no student {name!r}: {nearest(name, tuple(known))}")
    return known[name]


def usual_kind(kinds: Sequence[StudentKind]) -> StudentKind:
    """The one to train without having tried any: window-medium, if it is among them."""
    return next((kind for kind in kinds if kind.name == "window-medium"), kinds[0])
