"""How large a window that follows the animal should be, as far as its poses tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose import Pose
from dlclive_core.export.parity import CONFIDENT
from dlclive_core.regions import FollowingCropSpec

_STEP = 32  # a multiple of every network's stride
_LARGEST = 0.6  # of the frame's area: a larger window saves too little
_GROWTH = ((0, 0), (1, 0.5), (2, 1.5), (2.5, 1.5))  # in thirds of the least length: of length and width
_CONTEXT = 16.0  # pixels that a keypoint is away from the edge at least: networks look at what surrounds it


def can_follow(card: ModelCard) -> bool:
    """Whether a window can follow what the network finds: one animal, in whole images, at the size that it has there."""
    return (
        not (card.preparation is not None and card.preparation.scales)
        and card.method == "bottom-up"
        and len(card.individuals) == 1
        and not card.unique_keypoints
    )


def windows(poses: Sequence[Pose], frame_size: tuple[int, int]) -> list[FollowingCropSpec]:
    """Windows that rotate with the animal, the smallest first: as large as it, what it moves and some context, and larger ones.

    What is added is longer than wide: a window's edges disturb what is near them, and a long animal's ends are.

    Args:
        poses: of frames that follow one another, in pixels of the frames.
        frame_size: (width, height) of the frames.

    Returns:
        None where the animal fills the frame, or was never seen with two keypoints.
    """
    extents, centres = [], []
    for pose in poses:
        sure = pose.keypoints[0][pose.confidence[0] >= CONFIDENT] if len(pose) else np.empty((0, 3))
        if len(sure) >= 2:
            low, high = sure[:, :2].min(axis=0), sure[:, :2].max(axis=0)
            extents.append(np.sort(high - low))
            centres.append((low + high) / 2)
    if not extents:
        return []
    moves = [float(np.abs(b - a).max()) for a, b in pairwise(centres)]
    moved = float(np.percentile(moves, 95)) if moves else 0.0
    # half a step of which is lost to aligning
    short, long = np.percentile(extents, 99, axis=0) + 2 * (moved + _CONTEXT) + _STEP
    more = max(_STEP, long / 3)
    sides = dict.fromkeys(
        (_steps(long + lengthened * more), _steps(short + widened * more)) for lengthened, widened in _GROWTH
    )
    return [
        FollowingCropSpec(
            threshold=0.5, margin=0.0, window=(long, short), at_once=True, align=_STEP, rotates=long != short
        )
        for long, short in sides
        if long <= min(frame_size) and long * short <= _LARGEST * frame_size[0] * frame_size[1]
    ]


def _steps(pixels: float) -> int:
    return int(np.ceil(pixels / _STEP)) * _STEP
