"""Whether a teacher sees in a mirror what it sees in the frame."""

from __future__ import annotations

import math

import numpy as np

from dlclive_distill.animal import window_side
from dlclive_distill.footage import Labelled
from dlclive_distill.labeller import Labeller
from dlclive_distill.matching import aligned
from dlclive_distill.teacher import SURE
from dlclive_distill.training.placement import mirrored_order

_FRAMES = 24
_AGREES = 0.1  # of the animal's window: farther apart, it takes one keypoint for another


def mirror_holds(teacher: Labeller, labelled: Labelled) -> bool:
    """Whether mirrored frames, with left and right exchanged, may be trained on.

    A teacher that was trained on few frames may know the animal only from one side: it then takes the tail for the snout in a
    mirror, and a student that is trained on mirrored frames contradicts it wherever the animal turns round.
    """
    order = list(mirrored_order(teacher.card.skeleton.keypoints))
    chosen = np.linspace(0, len(labelled) - 1, min(_FRAMES, len(labelled))).round().astype(int)
    frames = np.ascontiguousarray(labelled.frames[chosen][:, :, ::-1])
    mirrored = np.concatenate([teacher.label(frame[None])[0] for frame in frames])[:, :, order]
    mirrored[..., 0] = frames.shape[2] - mirrored[..., 0]
    straight = labelled.keypoints[chosen]
    if teacher.animals > 1:
        mirrored = np.stack([aligned(*pair, math.inf) for pair in zip(mirrored, straight, strict=True)])
    sure = (straight[..., 2] >= SURE) & (mirrored[..., 2] >= SURE / 2)
    if not sure.any():
        return False
    apart = np.linalg.norm(straight[..., :2] - mirrored[..., :2], axis=-1)[sure]
    return bool(np.median(apart) <= _AGREES * window_side(labelled.keypoints, 1))
