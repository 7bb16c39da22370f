"""The error bound of an export, for each precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dlclive_core.errors import ModelError
from dlclive_core.export.parity import Parity

BOUND_BOX_PX = 0.5
"""Largest accepted difference in pixels of an exported detector's boxes, for boxes with a score of 0.5 or more."""

_LABELS = {
    "max_px": "over all keypoints",
    "p99_confident_px": "at the 99th percentile of the confident keypoints",
    "p95_confident_px": "at the 95th percentile of the confident keypoints",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest allowed error of an export, and the statistic that it applies to.

    Attributes:
        px: pixels.
        statistic: the attribute of Parity that must not exceed them.
    """

    px: float
    statistic: Literal["max_px", "p99_confident_px", "p95_confident_px"] = "max_px"

    @property
    def label(self) -> str:
        """The statistic, for messages."""
        return _LABELS[self.statistic]

    def error(self, parity: Parity) -> float:
        """The value of the statistic, in pixels."""
        return float(getattr(parity, self.statistic))


_HALF = Bound(0.25, "p99_confident_px")
_QUARTER = Bound(0.5, "p95_confident_px")

BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {"fp32": Bound(0.05), "fp16": _HALF, "bf16": _HALF, "int8": _QUARTER},
)
"""In fp32 every keypoint counts. In lower precision only confident keypoints count, because either of two heatmap peaks of
similar height may win. A percentile excludes the largest errors: on real clips some confident keypoints are ambiguous."""

_OTHER = _QUARTER
"""The bound of a precision that only a plugin knows."""


def bound_for(precision: str, max_error: float | None, *, calibrated: bool = False) -> Bound:
    """The bound of a precision, or of any calibrated export; `max_error` replaces its pixels."""
    bound = _QUARTER if calibrated else BOUNDS.get(precision, _OTHER)
    return bound if max_error is None else Bound(max_error, bound.statistic)


def check_bound(parity: Parity, bound: Bound, precision: str) -> Bound:
    """Return the bound that was applied. Raises ModelError, with the error in pixels, if the export exceeds it.

    If no keypoint of the frames is confident, the bound applies to all keypoints.
    """
    advice = ""
    if bound.statistic != "max_px" and not parity.confident:
        bound = Bound(bound.px)
        advice = "; no keypoint of these frames is confident: pass frames that show the animal with --frames"
    if not parity.box_px <= BOUND_BOX_PX:
        raise ModelError(
            f"boxes of the exported detector differ by {parity.box_px:.3f} px at the 95th percentile ({parity.boxes} boxes in "
            f"{parity.images} frames), more than the {BOUND_BOX_PX} px allowed; nothing was written"
        )
    error = bound.error(parity)
    if not error <= bound.px:
        raise ModelError(
            f"the export in {precision} differs from its source by {error:.3f} px {bound.label} ({parity.confident} "
            f"confident of {parity.keypoints}, {parity.images} frames), more than the {bound.px:g} px allowed; nothing was "
            f"written{advice}"
        )
    return bound
