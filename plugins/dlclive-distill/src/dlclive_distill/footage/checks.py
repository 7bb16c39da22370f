"""Whether the teacher sees the animals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_distill.teacher import SURE

LEAST_SURE = 0.2
"""The share of an animal's keypoints of which a teacher must be sure."""


def check_teacher_sees(keypoints: NDArray[np.float32], model: str, where: str) -> None:
    """Refuse footage on which a student would learn nothing.

    Args:
        keypoints: (n, A, K, 3), the teacher's. Of several animals, the one that it sees best counts in each frame: there may
            be fewer animals than it can find.
        model: the teacher's name.
        where: which frames, in words.

    Raises:
        DataError: the teacher is nowhere sure, or of fewer than a fifth of the keypoints.
    """
    confidences = keypoints[..., 2]
    share = float((confidences >= SURE).mean(axis=-1).max(axis=-1).mean()) if confidences.size else 0.0
    if share >= LEAST_SURE:
        return
    if share == 0:
        highest = float(confidences.max(initial=0.0))
        raise DataError(
            f"{model} is nowhere sure in {where}: its highest confidence is {highest:.2f}, and {SURE} is needed; a student can "
            "be no better: train the teacher further, or on frames of these videos"
        )
    raise DataError(
        f"{model} sees little in {where}: it is sure of {100 * share:.0f} % of the keypoints, and of {100 * LEAST_SURE:.0f} % "
        "at least is needed; give videos with the animal in view, of the camera that it was trained for"
    )
