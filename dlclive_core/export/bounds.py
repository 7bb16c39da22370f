"""How near an export has to be to its source, for each precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dlclive_core.errors import ModelError
from dlclive_core.export.parity import Parity

BOUND_BOX_PX = 0.5
"""How many pixels the boxes of an exported detector may differ by, of those that it is at least 0.5 sure of."""

_WORDS = {
    "max_px": "over all keypoints",
    "p99_confident_px": "at the 99th percentile of the confident keypoints",
    "p95_confident_px": "at the 95th percentile of the confident keypoints",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """How many pixels an export may differ by, and which of the differences that is about.

    Attributes:
        px: pixels.
        statistic: the attribute of Parity that is held against them.
    """

    px: float
    statistic: Literal["max_px", "p99_confident_px", "p95_confident_px"] = "max_px"

    @property
    def label(self) -> str:
        """Which of the differences, for people."""
        return _WORDS[self.statistic]

    def found(self, parity: Parity) -> float:
        """What `parity` has of it, in pixels."""
        return float(getattr(parity, self.statistic))


_HALF = Bound(0.25, "p99_confident_px")
_QUARTER = Bound(0.5, "p95_confident_px")

BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {"fp32": Bound(0.05), "fp16": _HALF, "bf16": _HALF, "int8": _QUARTER},
)
"""In fp32 every keypoint counts. In lower precision only those do that are decided (a heatmap with two peaks of nearly the
same height may choose the other one), but for a few: on a real clip some confident ones are undecided as well."""


def bound_for(precision: str, max_error: float | None, *, calibrated: bool = False) -> Bound:
    """The bound of a precision, or of what was calibrated in any, with the user's pixels in it where given."""
    bound = _QUARTER if calibrated else BOUNDS.get(precision, _QUARTER)
    return bound if max_error is None else Bound(max_error, bound.statistic)


def judge(parity: Parity, bound: Bound, precision: str) -> Bound:
    """The bound that was kept; ModelError, with what was found, if it was not.

    Where no keypoint of the frames is confident there is nothing to choose from, and all of them must agree.
    """
    advice = ""
    if bound.statistic != "max_px" and not parity.confident:
        bound = Bound(bound.px)
        advice = "; no keypoint of these frames is confident: give frames that show the animal with --frames"
    if not parity.box_px <= BOUND_BOX_PX:
        raise ModelError(
            f"boxes of the exported detector differ by {parity.box_px:.3f} px (95 of 100 differ by less; {parity.boxes} boxes "
            f"in {parity.images} frames), more than the {BOUND_BOX_PX} px allowed; nothing was written"
        )
    if not bound.found(parity) <= bound.px:
        raise ModelError(
            f"the export in {precision} differs from its source by {bound.found(parity):.3f} px {bound.label} "
            f"({parity.confident} confident of {parity.keypoints}, {parity.images} frames), more than the {bound.px:g} px "
            f"allowed; nothing was written{advice}"
        )
    return bound
