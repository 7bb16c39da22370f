"""How animals are followed by a conditional network."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRules:
    """The rules of DeepLabCut's tracking with conditional networks (`CTDTrackingConfig`), and its defaults.

    Attributes:
        search_lost: ask the bottom-up model again while fewer animals are tracked than there are (`bu_on_lost_idv`).
        search_every: ask it after so many frames in any case; None: only when needed (`bu_min_frequency`).
        search_lost_every: while animals are lost, ask it after so many frames, not in each; None: in each
            (`bu_max_frequency`). Where nothing is tracked, it is asked in every frame.
        add_below: a pose of the bottom-up model is a new animal if its similarity with every tracked one is below this
            (`threshold_bu_add`).
        min_confidence: keypoints that are not surer than this are no conditions for the next frame (`threshold_ctd`).
        duplicate_from: two tracked poses that are as similar as this are one animal (`threshold_nms`).
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
                raise UsageError(f"{name} is a number of frames from 1, or None; got {frames}")
        for name in ("add_below", "min_confidence", "duplicate_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is between 0 and 1; got {getattr(self, name)}")
