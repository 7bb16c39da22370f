"""Links grown into animals."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlclive_core.models.assembly.links import Link

Candidate = tuple[int, int]
"""(keypoint, peak), both indices."""


@dataclass(slots=True)
class Animal:
    """Candidates joined by links, at most one for each keypoint.

    Attributes:
        peaks: keypoint -> its peak.
        links: between them.
        affinity: the sum over the links.
    """

    peaks: dict[int, int] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    affinity: float = 0.0

    def __contains__(self, candidate: Candidate) -> bool:
        return self.peaks.get(candidate[0]) == candidate[1]

    def __len__(self) -> int:
        return len(self.peaks)

    @property
    def strength(self) -> float:
        """The mean affinity of its links."""
        return self.affinity / max(1, len(self.links))

    @property
    def candidates(self) -> set[Candidate]:
        """All candidates of the animal."""
        return set(self.peaks.items())

    def join(self, link: Link) -> bool:
        """Add a link and its ends. Skip an end whose keypoint is taken, and the link if both are.

        Returns:
            Whether a candidate was added.
        """
        first, second = link.ends
        inside = first in self and second in self
        if not inside and first[0] in self.peaks and second[0] in self.peaks:
            return False
        for keypoint, peak in link.ends:
            self.peaks.setdefault(keypoint, peak)
        self.links.append(link)
        self.affinity += link.affinity
        return not inside

    def absorb(self, other: Animal) -> None:
        """Take over all candidates of another animal; the two have no keypoint in common."""
        self.peaks.update(other.peaks)
        self.links.extend(other.links)
        self.affinity += other.affinity
