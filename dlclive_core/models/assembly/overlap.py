"""Animals that lie on top of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def distinct(points: NDArray[np.floating], affinities: Sequence[float], max_overlap: float) -> list[int]:
    """Choose animals, the ones with the most affinity first, that do not lie on top of one chosen before.

    The overlap is the fraction of an animal's keypoints that lie in both bounding boxes, the smaller of the two.

    Args:
        points: (A, K, 2), NaN where a keypoint is not there.
        affinities: of the A animals; ties keep their order.
        max_overlap: animals that overlap by this, or more, lie on top of each other.

    Returns:
        The numbers of the chosen ones.
    """
    present = np.isfinite(points[..., 0])
    counts = present.sum(axis=1)
    lows = np.where(present[..., None], points, np.inf).min(axis=1)
    highs = np.where(present[..., None], points, -np.inf).max(axis=1)
    alive = np.ones(len(points), dtype=bool)
    kept: list[int] = []
    for animal in np.argsort(-np.asarray(affinities, dtype=np.float64), kind="stable"):
        if not alive[animal]:
            continue
        kept.append(int(animal))
        low, high = np.maximum(lows, lows[animal])[:, None], np.minimum(highs, highs[animal])[:, None]
        own = ((points[animal] >= low) & (points[animal] <= high)).all(axis=2).sum(axis=1)
        others = ((points >= low) & (points <= high)).all(axis=2).sum(axis=1)
        alive &= np.minimum(own / counts[animal], others / counts) < max_overlap
    return kept
