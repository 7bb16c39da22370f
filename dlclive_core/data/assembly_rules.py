"""How animals are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyRules:
    """What it takes to make animals of candidates for their keypoints; the defaults are DeepLabCut's.

    Attributes:
        edges: pairs of keypoints whose candidates are joined, in the order of the affinities.
        individuals: how many animals there are at most.
        min_confidence: candidates that are less sure are not used, where there are several animals.
        min_affinity: pairs of candidates that belong together less are not joined.
        min_links: animals with fewer joined pairs are dropped.
        max_overlap: of two animals that have this part of their keypoints, or more, in the bounding boxes of both, the
            weaker one is dropped.
    """

    edges: tuple[tuple[int, int], ...]
    individuals: int
    min_confidence: float = 0.1
    min_affinity: float = 0.05
    min_links: int = 2
    max_overlap: float = 0.8

    def __post_init__(self) -> None:
        if self.individuals < 1:
            raise ValueError(f"there is at least one individual, not {self.individuals}")
        if any(len(edge) != 2 or edge[0] == edge[1] or min(edge) < 0 for edge in self.edges):
            raise ValueError(f"edges are pairs of two keypoints, not {self.edges}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AssemblyRules:
        """Read what `to_dict` gave, also after a journey through JSON.

        Raises:
            KeyError, TypeError, ValueError: it is not that.
        """
        edges = tuple((int(source), int(target)) for source, target in values["edges"])
        return cls(**{**values, "edges": edges})
