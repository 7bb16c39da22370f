"""The rules for assembling animals from keypoint candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
        if self.individuals < 1:
            raise ValueError(f"individuals must be at least 1; got {self.individuals}")
        if any(len(edge) != 2 or edge[0] == edge[1] or min(edge) < 0 for edge in self.edges):
            raise ValueError(f"edges must be pairs of two different keypoints; got {self.edges}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AssemblyRules:
        """Read the values of `to_dict`, including after a round trip through JSON.

        Raises:
            KeyError, TypeError, ValueError: the values are invalid.
        """
        edges = tuple((int(source), int(target)) for source, target in values["edges"])
        return cls(**{**values, "edges": edges})
