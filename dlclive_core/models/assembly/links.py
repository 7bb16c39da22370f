"""Which candidates are joined: the best pairs of each edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.models.assembly.assignment import assign


@dataclass(frozen=True, slots=True)
class Link:
    """Two candidates that belong together.

    Attributes:
        ends: (keypoint, peak) of both.
        affinity: how well they do.
    """

    ends: tuple[tuple[int, int], tuple[int, int]]
    affinity: float


def best_links(confidence: NDArray[np.float32], affinities: NDArray[np.float32], rules: AssemblyRules) -> list[Link]:
    """Assign to every candidate for one end of an edge another candidate for its other end, for the largest sum.

    Only the surest candidates for each keypoint take part, as many as there are animals.

    Args:
        confidence: (K, P), 0 for candidates that are not there.
        affinities: (L, P, P).
        rules: edges, number of animals, and thresholds.

    Returns:
        The links, edge by edge, and for each edge from the surest candidate for its first keypoint on.
    """
    surest = np.argsort(-confidence, axis=1, kind="stable")[:, : rules.individuals]
    counts = (np.take_along_axis(confidence, surest, axis=1) >= rules.min_confidence).sum(axis=1)
    edges = np.asarray(rules.edges, dtype=np.intp).reshape(-1, 2)
    sources, targets = surest[edges[:, 0]], surest[edges[:, 1]]
    values = affinities[np.arange(len(edges))[:, None, None], sources[:, :, None], targets[:, None, :]]
    values = np.nan_to_num(values)
    pairs = assign(values, counts[edges[:, 0]], counts[edges[:, 1]])
    edge, row = np.nonzero(pairs >= 0)
    column = pairs[edge, row]
    affinity = values[edge, row, column]
    strong = affinity >= np.float32(rules.min_affinity)
    return [
        Link(((int(edges[e, 0]), int(sources[e, r])), (int(edges[e, 1]), int(targets[e, c]))), float(a))
        for e, r, c, a in zip(edge[strong], row[strong], column[strong], affinity[strong], strict=True)
    ]
