"""Animals put into the order of the individuals that they look like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.models.assembly.assignment import assign


def order_by_identity(keypoints: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Say which animal is which individual, so that `keypoints[order]` are in the individuals' order.

    How much an animal looks like an individual is the mean over its keypoints of confidence times score; animals are
    assigned to individuals so that the sum is the largest (Lauer et al. 2022, Nature Methods 19).

    Args:
        keypoints: (I, K, 3) x, y, confidence.
        scores: (I, K, J), how much each keypoint looks like each of J individuals, J at least I.

    Returns:
        (I,) a permutation.
    """
    count = len(keypoints)
    confidence = np.nan_to_num(keypoints[..., 2])
    likeness = (confidence[..., None] * np.nan_to_num(scores)).mean(axis=1, dtype=np.float32)
    sizes = np.array([count]), np.array([likeness.shape[1]])
    return np.argsort(assign(likeness[None], *sizes)[0], kind="stable")
