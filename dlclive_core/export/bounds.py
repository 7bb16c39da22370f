"""The error bound of an export, for each precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from dlclive_core.errors import ModelError
from dlclive_core.export.parity import CONFIDENT, Parity
from dlclive_core.export.rounding import Rounding

BOUND_BOX_PX = 0.5
"""Largest accepted difference in pixels of an exported detector's boxes, for boxes with a score of 0.5 or more."""

MOST_PX, MOST_CONFIDENCE = 0.5, 0.05
"""Largest differences of an export in fp32 that are accepted, whatever fp32 leaves open for the network."""

_SHARE = 2
"""An export may be as far from the exact poses as its source is, on any side of them: this many times that from the source."""

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
        confidence: the 95th percentile of the differences in confidence. The last digit decides on single ones where a
            confidence is read in the cell below a keypoint.
        p50_px: pixels that the median of all keypoints must not exceed. A few undecided keypoints do not move it, an error of
            the export does.
        widens: whether rounding may widen the bound.
    """

    px: float
    statistic: Literal["max_px", "p99_confident_px", "p95_confident_px"] = "max_px"
    confidence: float = math.inf
    p50_px: float = math.inf
    widens: bool = False

    @property
    def label(self) -> str:
        """The statistic, for messages."""
        return _LABELS[self.statistic]

    def error(self, parity: Parity) -> float:
        """The value of the statistic, in pixels."""
        return float(getattr(parity, self.statistic))

    def is_kept(self, parity: Parity) -> bool:
        """Whether an export is within the bound. Its detector is judged separately."""
        return (
            self.error(parity) <= self.px and parity.p50_px <= self.p50_px and parity.p95_confidence <= self.confidence
        )

    def widened(self, rounding: Rounding) -> Bound:
        """The bound for a network for which fp32 leaves that much open."""
        return replace(
            self,
            px=_between(self.px, _SHARE * rounding.px, MOST_PX),
            confidence=_between(self.confidence, _SHARE * rounding.confidence, MOST_CONFIDENCE),
            p50_px=_between(self.px, _SHARE * rounding.p50_px, MOST_PX),
        )


def _between(least: float, value: float, most: float) -> float:
    return min(max(least, value), most)


_HALF = Bound(0.25, "p99_confident_px")
_QUARTER = Bound(0.5, "p95_confident_px")

BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {"fp32": Bound(0.05, confidence=0.01, widens=True), "fp16": _HALF, "bf16": _HALF, "int8": _QUARTER},
)
"""In fp32 every keypoint and every confidence counts, and rounding may widen the bound. In lower precision only confident
keypoints count, because either of two heatmap peaks of similar height may win. A percentile excludes the largest errors: on
real clips some confident keypoints are ambiguous."""

_OTHER = _QUARTER
"""The bound of a precision that only a plugin knows."""


def bound_for(precision: str, max_error: float | None, *, calibrated: bool = False) -> Bound:
    """The bound of a precision, or of any calibrated export; `max_error` replaces its pixels, and then nothing else counts."""
    bound = _QUARTER if calibrated else BOUNDS.get(precision, _OTHER)
    return bound if max_error is None else Bound(max_error, bound.statistic)


def weak_comparison(parity: Parity) -> str:
    """What an export that compared no confident keypoint must say; else empty."""
    if parity.confident:
        return ""
    return (
        f"no keypoint of the {parity.images} compared frames has a confidence of {CONFIDENT} or more, so the comparison says "
        "little about your animal: pass a clip that shows it with --video"
    )


def check_bound(parity: Parity, bound: Bound, precision: str, rounding: Rounding | None = None) -> Bound:
    """Return the bound that was applied. Raises ModelError, with the error in pixels, if the export exceeds it.

    If no keypoint of the frames is confident, the bound applies to all keypoints. If `rounding` is given, it widens the bound.
    """
    if rounding is not None:
        bound = bound.widened(rounding)
    advice = ""
    if bound.statistic != "max_px" and not parity.confident:
        bound = Bound(bound.px)
        advice = "; no keypoint of these frames is confident: pass frames that show the animal with --video"
    if not parity.box_px <= BOUND_BOX_PX:
        raise ModelError(
            f"boxes of the exported detector differ by {parity.box_px:.3f} px at the 95th percentile ({parity.boxes} boxes in "
            f"{parity.images} frames), more than the {BOUND_BOX_PX} px allowed; nothing was written"
        )
    error = bound.error(parity)
    if not error <= bound.px:
        raise ModelError(
            f"the export in {precision} differs from its source by {error:.3f} px {bound.label} ({parity.confident} "
            f"confident of {parity.keypoints}, {parity.images} frames), more than the {bound.px:.2g} px allowed; "
            f"{_open(rounding)}nothing was written{advice}"
        )
    if not parity.p50_px <= bound.p50_px:
        raise ModelError(
            f"half of the keypoints of the export in {precision} differ from its source by {parity.p50_px:.3f} px or more "
            f"({parity.keypoints} keypoints, {parity.images} frames), more than the {bound.p50_px:.2g} px allowed; "
            f"{_open(rounding)}nothing was written"
        )
    if not parity.p95_confidence <= bound.confidence:
        raise ModelError(
            f"confidences of the export in {precision} differ from its source's by {parity.p95_confidence:.3f} at the 95th "
            f"percentile ({parity.keypoints} keypoints, {parity.images} frames), more than the {bound.confidence:.2g} allowed; "
            f"{_open(rounding)}nothing was written"
        )
    return bound


def _open(rounding: Rounding | None) -> str:
    return "" if rounding is None else f"{rounding}; "
