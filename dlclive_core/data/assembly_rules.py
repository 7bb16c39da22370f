"""The rules for assembling animals from keypoint candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dlclive_core.data.name_checks import MOST_NAMES
from dlclive_core.errors import shown

MOST_PAIRS = 50_000_000
"""Pairs of candidates in one image, for each of which the network gives a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyRules:
    """Rules for assembling animals from keypoint candidates. The defaults are DeepLabCut's.

    Attributes:
        edges: pairs of keypoints whose candidates are joined, in the order of the affinities.
        individuals: the largest number of animals.
        min_confidence: with several animals, candidates below this confidence are ignored.
        min_affinity: pairs of candidates below this affinity are not joined.
        min_links: animals with fewer joined pairs are dropped.
        max_overlap: if two animals have at least this share of their keypoints inside both bounding boxes, the weaker one
            is dropped.
    """

    edges: tuple[tuple[int, int], ...]
    individuals: int
    min_confidence: float = 0.1
    min_affinity: float = 0.05
    min_links: int = 2
    max_overlap: float = 0.8

    def __post_init__(self) -> None:
        if not 1 <= self.individuals <= MOST_NAMES:
            raise ValueError(f"individuals must be from 1 to {MOST_NAMES}; got {self.individuals}")
        for edge in self.edges:
            if len(edge) != 2 or edge[0] == edge[1] or min(edge) < 0:
                raise ValueError(f"edges must be pairs of two different keypoints; got {shown(edge)}")
        pairs = len(self.edges) * self.individuals**2
        if pairs > MOST_PAIRS:
            raise ValueError(
                f"{len(self.edges)} edges of {self.individuals} individuals are more than can be assembled"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AssemblyRules:
        """Read the values of `to_dict`, including after a round trip through JSON.

        Raises:
            KeyError, TypeError, ValueError: the values are invalid.
        """
        edges = values["edges"]
        if not isinstance(edges, list | tuple) or not all(_is_pair(edge) for edge in edges):
            raise ValueError("edges must be a list of pairs of whole numbers")
        for name in values:
            if name not in (*_RANGES, "edges"):
                raise ValueError(f"unknown field {shown(name)}")
        for name, (kind, most) in _RANGES.items():
            value = values.get(name, 0)
            if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value <= most:
                raise ValueError(f"{name} must be a number from 0 to {most}; got {shown(value)}")
        return cls(**{**values, "edges": tuple((source, target) for source, target in edges)})


def _is_pair(edge: Any) -> bool:
    return isinstance(edge, list | tuple) and len(edge) == 2 and all(type(end) is int for end in edge)


_RANGES: dict[str, tuple[Any, int]] = {
    "individuals": (int, MOST_NAMES),
    "min_confidence": (int | float, 1),
    "min_affinity": (int | float, 1_000_000),
    "min_links": (int, 1_000_000),
    "max_overlap": (int | float, 1_000_000),
}
"""The types and largest values of the numbers, in a file that nobody vouches for; NaN is in none of the ranges."""
