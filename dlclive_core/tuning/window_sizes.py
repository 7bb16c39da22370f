"""Derives sizes for a window that follows the animal from its poses."""

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
_GROWTH = ((0, 0), (1, 0.5), (2, 1.5), (2.5, 1.5))  # added to length and width, in thirds of the minimum length
_CONTEXT = 16.0  # minimum distance of keypoints from the edge in pixels: networks use the surroundings of a keypoint


def can_follow(card: ModelCard) -> bool:
    """Whether a window can follow the network's poses: requires a bottom-up network for a single animal, at its own scale."""
    return (
        not (card.preparation is not None and card.preparation.scales)
        and card.method == "bottom-up"
        and len(card.individuals) == 1
        and not card.unique_keypoints
    )


def windows(poses: Sequence[Pose], frame_size: tuple[int, int]) -> list[FollowingCropSpec]:
    """Windows that rotate with the animal, smallest first.

    The smallest window holds the animal, its movement between frames and some context. Larger ones grow more in length than
    in width: keypoints near the edges are disturbed, and those are at the ends of a long animal.

    Args:
        poses: poses of consecutive frames, in frame pixels.
        frame_size: (width, height) of the frames.

    Returns:
        An empty list if the animal fills the frame, or if no pose has two confident keypoints.
    """
    extents, centres = [], []
    for pose in poses:
        confident = pose.keypoints[0][pose.confidence[0] >= CONFIDENT] if len(pose) else np.empty((0, 3))
        if len(confident) >= 2:
            low, high = confident[:, :2].min(axis=0), confident[:, :2].max(axis=0)
            extents.append(np.sort(high - low))
            centres.append((low + high) / 2)
    if not extents:
        return []
    moves = [float(np.abs(b - a).max()) for a, b in pairwise(centres)]
    moved = float(np.percentile(moves, 95)) if moves else 0.0
    # up to half a step is lost to alignment
    short, long = np.percentile(extents, 99, axis=0) + 2 * (moved + _CONTEXT) + _STEP
    growth = max(_STEP, long / 3)
    sides = dict.fromkeys(
        (_round_up(long + length * growth), _round_up(short + width * growth)) for length, width in _GROWTH
    )
    return [
        FollowingCropSpec(
            threshold=0.5, margin=0.0, window=(long, short), at_once=True, align=_STEP, rotates=long != short
        )
        for long, short in sides
        if long <= min(frame_size) and long * short <= _LARGEST * frame_size[0] * frame_size[1]
    ]


def _round_up(pixels: float) -> int:
    return int(np.ceil(pixels / _STEP)) * _STEP
