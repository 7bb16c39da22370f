"""The names of an animal's keypoints, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dlclive_core.data.name_checks import check_names
from dlclive_core.errors import UsageError, nearest, shown

MOST_EDGES = 20_000
"""Between 200 keypoints, each joined with each other."""


@dataclass(frozen=True)
class Skeleton:
    """Ordered, unique keypoint names, and edges between them.

    Args:
        keypoints: the names, in the order of a pose's second axis.
        edges: pairs of indices into `keypoints`.

    Raises:
        UsageError: a name that is not text, empty, repeated or unprintable; an edge that is not between two keypoints.
    """

    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        try:
            check_names(self.keypoints, "keypoints")
        except ValueError as error:
            raise UsageError(str(error)) from None
        if len(self.edges) > MOST_EDGES:
            raise UsageError(f"{len(self.edges)} edges; {MOST_EDGES} is the most")
        for edge in self.edges:
            if not isinstance(edge, tuple) or len(edge) != 2 or not all(isinstance(end, int) for end in edge):
                raise UsageError(f"edge {shown(edge)} is not a pair of indices")
            if not all(0 <= end < len(self.keypoints) for end in edge):
                raise UsageError(f"edge {edge} is out of range for {len(self.keypoints)} keypoints")

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.keypoints)}

    def index(self, keypoint: str) -> int:
        """Return the index of a keypoint. Raises UsageError, with the nearest name, if it is unknown."""
        try:
            return self._indices[keypoint]
        except KeyError:
            raise UsageError(f"no keypoint {keypoint!r}: {nearest(keypoint, self.keypoints)}") from None
