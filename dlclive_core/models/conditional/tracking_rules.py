"""How a conditional network tracks animals."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRules:
    """The rules of DeepLabCut's tracking with conditional networks (`CTDTrackingConfig`), and its defaults.

    Attributes:
        search_lost: run the bottom-up model while fewer animals are tracked than exist (`bu_on_lost_idv`).
        search_every: run it at least every n frames; None: only when needed (`bu_min_frequency`).
        search_lost_every: while animals are lost, run it only every n frames; None: on every frame (`bu_max_frequency`). While
            nothing is tracked, it runs on every frame.
        add_below: a pose of the bottom-up model is a new animal if its similarity to every tracked one is below this
            (`threshold_bu_add`).
        min_confidence: only keypoints above this confidence are conditions for the next frame (`threshold_ctd`).
        duplicate_from: tracked poses of this similarity or more are the same animal (`threshold_nms`).
    """

    search_lost: bool = True
    search_every: int | None = None
    search_lost_every: int | None = 100
    add_below: float = 0.25
    min_confidence: float = 0.01
    duplicate_from: float = 0.9

    def __post_init__(self) -> None:
        for name in ("search_every", "search_lost_every"):
            frames = getattr(self, name)
            if frames is not None and frames < 1:
                raise UsageError(f"{name} must be at least 1 frame, or None; got {frames}")
        for name in ("add_below", "min_confidence", "duplicate_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be between 0 and 1; got {getattr(self, name)}")
