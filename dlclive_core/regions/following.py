"""A window that follows the animal, as a value: for candidates and profiles, which are compared and written down."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.regions.following_crop import FollowingCrop


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingCropSpec:
    """A window that follows the animal; the fields are those of `FollowingCrop`.

    Attributes:
        threshold: confidence above which a keypoint counts.
        margin: pixels around the keypoints.
        window: (width, height) of a window of constant size; None: as large as animal and margin.
        at_once: whether a lost animal is looked for in the whole of the same frame.
        align: the window begins at multiples of so many pixels.
        rotates: the window's longer side lies as the animal's.
    """

    threshold: float = 0.5
    margin: float = 10.0
    window: tuple[int, int] | None = None
    at_once: bool = False
    align: int = 1
    rotates: bool = False

    @property
    def label(self) -> str:
        """For tables: "following 256x192", WIDTHxHEIGHT; "or 192x256" where it rotates."""
        if self.window is None:
            return "following"
        width, height = self.window
        return f"following {width}x{height}" + (f" or {height}x{width}" if self.rotates else "")

    def region(self) -> FollowingCrop:
        """A new window, that has not seen anything."""
        return FollowingCrop(
            self.threshold, self.margin, self.window, at_once=self.at_once, align=self.align, rotates=self.rotates
        )
