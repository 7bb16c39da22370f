"""How frames of several cameras are paired and what is accepted as a position, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from dlclive_core.errors import UsageError, nearest
from dlclive_core.views.triangulation import Limits
from dlclive_core.views.view_join import PAIR_BY, JoinOptions, PairBy


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """Options of `MultiViewRig`, which documents each."""

    pair_by: PairBy = "time"
    tolerance: float = 0.005
    offsets: Mapping[str, float] = field(default_factory=dict)
    wait: float = 0.05
    min_views: int = 2
    max_error: float = 10.0
    min_confidence: float = 0.6
    scale: bool = False

    def check(self, cameras: Sequence[str]) -> None:
        """Raise UsageError for a value that cannot be."""
        if self.pair_by not in PAIR_BY:
            raise UsageError(f"pair_by is {self.pair_by!r}: {nearest(str(self.pair_by), PAIR_BY)}")
        for option in ("tolerance", "wait"):
            value = getattr(self, option)
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"{option} must be more than 0 seconds; got {value!r}")
        if type(self.min_views) is not int or not 2 <= self.min_views <= len(cameras):
            most = f"2 to {len(cameras)}, the number of cameras"
            raise UsageError(f"min_views is {self.min_views!r}; give a whole number from {most}")
        if not (math.isfinite(self.max_error) and self.max_error > 0):
            raise UsageError(f"max_error must be a number above 0 px; got {self.max_error!r}")
        if not 0 < self.min_confidence <= 1:
            raise UsageError(f"min_confidence must be above 0 and at most 1; got {self.min_confidence!r}")
        for name, value in self.offsets.items():
            if name not in cameras:
                raise UsageError(f"offsets has a camera {name!r} that no session has: {nearest(name, cameras)}")
            if not math.isfinite(value):
                raise UsageError(f"the offset of {name} is {value!r}; give seconds")

    @property
    def join(self) -> JoinOptions:
        """Those of pairing."""
        return JoinOptions(self.pair_by, self.tolerance, self.wait, self.min_views)

    @property
    def limits(self) -> Limits:
        """Those of triangulation."""
        return Limits(self.min_views, self.max_error, self.min_confidence)

    def to_dict(self) -> dict[str, Any]:
        """By name, as `MultiViewRig` takes them."""
        return {option.name: getattr(self, option.name) for option in fields(self)}
