"""How large a window that follows the animal should be, as far as its poses tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dlclive_core.card import ModelCard
from dlclive_core.parity import CONFIDENT
from dlclive_core.pose import Pose
from dlclive_core.regions import Following

_STEP = 32  # a multiple of every network's stride
_LARGEST = 0.6  # of the frame's area: a larger window saves too little
_CONTEXT = 16.0  # pixels that a keypoint is away from the edge at least: networks look at what surrounds it


def can_follow(card: ModelCard) -> bool:
    """Whether a window can follow what the network finds: one animal, in whole images."""
    return card.method == "bottom-up" and len(card.individuals) == 1 and not card.unique_keypoints


def windows(poses: Sequence[Pose], frame: tuple[int, int], count: int = 3) -> list[Following]:
    """Square windows, the smallest first: as large as the animal, what it moves and some context, and larger ones.

    Args:
        poses: of frames that follow one another, in pixels of frames of (height, width).
        frame: (height, width).

    Returns:
        At most `count`; none where the animal fills the frame, or was never seen with two keypoints.
    """
    extents, centres = [], []
    for pose in poses:
        sure = pose.keypoints[0][pose.confidence[0] >= CONFIDENT] if len(pose) else np.empty((0, 3))
        if len(sure) >= 2:
            low, high = sure[:, :2].min(axis=0), sure[:, :2].max(axis=0)
            extents.append(float((high - low).max()))
            centres.append((low + high) / 2)
    if not extents:
        return []
    moves = [float(np.abs(b - a).max()) for a, b in pairwise(centres)]
    moved = float(np.percentile(moves, 95)) if moves else 0.0
    least = (
        float(np.percentile(extents, 99)) + 2 * (moved + _CONTEXT) + _STEP
    )  # half a step of which is lost to aligning
    side = int(np.ceil(least / _STEP)) * _STEP
    sides = [side, side + max(_STEP, _round(side / 3)), side + 2 * max(_STEP, _round(side / 3))][:count]
    fits = [each for each in sides if each <= min(frame) and each * each <= _LARGEST * frame[0] * frame[1]]
    return [Following(threshold=0.5, margin=0.0, window=(each, each), at_once=True, align=_STEP) for each in fits]


def _round(pixels: float) -> int:
    return round(pixels / _STEP) * _STEP
