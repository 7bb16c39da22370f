"""Animals that walk, cross and touch, with known identities; and how well a tracker keeps these.

Used by tracking.py, by the test of the processor `track`, and by its picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose, Skeleton

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

FPS = 30.0
LENGTH, WIDTH = 80.0, 30.0  # px, of an animal
ARENA = (640.0, 480.0)  # px
SPEED = 150.0  # px/s, the mean of a walking animal
SKELETON = Skeleton(("snout", "left_ear", "right_ear", "spine", "tail_base"))
ALONG = np.array([0.5, 0.3, 0.3, 0.0, -0.5]) * LENGTH  # where each keypoint is on the body, px
ACROSS = np.array([0.0, -0.35, 0.35, 0.0, 0.0]) * WIDTH


@dataclass(frozen=True)
class Scene:
    """What a model reports of F frames with N animals.

    Attributes:
        poses: F poses; the order of their rows changes from frame to frame.
        animals: for each frame, the animal of each row; -1 for a row that is no animal.
        truth: (F, N, K, 2) px.
    """

    poses: list[Pose]
    animals: list[Places]
    truth: Floats


def walk(animals: int, frames: int, seed: int) -> Floats:
    """(F, N, K, 2) keypoints of animals that walk, stop, turn, and seek each other's company.

    An animal turns towards another one, chosen anew every second or so, and does not avoid it: it walks across it or along it.
    The rear half of the body follows the front half's path, so bodies bend.
    """
    rng = np.random.default_rng(seed)
    size = np.array(ARENA)
    angle = 2 * np.pi * (np.arange(animals) + rng.random()) / animals
    place = size / 2 + 0.35 * size * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    heading = rng.uniform(-np.pi, np.pi, animals)
    speed, turning = np.full(animals, SPEED), np.zeros(animals)
    goal = rng.integers(animals, size=animals)
    rear = heading.copy()
    result = np.empty((frames, animals, len(SKELETON), 2))
    step = 1 / FPS
    for frame in range(frames):
        changes = rng.random(animals) < step
        goal = np.where(changes, rng.integers(animals, size=animals), goal)
        target = np.where((goal == np.arange(animals))[:, None], size / 2, place[goal])
        wanted = np.arctan2(target[:, 1] - place[:, 1], target[:, 0] - place[:, 0])
        near_wall = ((place < 60) | (place > size - 60)).any(axis=1)
        wanted = np.where(near_wall, np.arctan2(size[1] / 2 - place[:, 1], size[0] / 2 - place[:, 0]), wanted)
        off = (wanted - heading + np.pi) % (2 * np.pi) - np.pi
        turning += (
            step * (-turning / 0.3 + np.where(near_wall, 20.0, 5.0) * off) + rng.normal(0, 2.5, animals) * step**0.5
        )
        speed += step * (SPEED - speed) / 0.5 + rng.normal(0, 150, animals) * step**0.5
        speed = np.clip(speed, 0, 3 * SPEED)
        heading = heading + turning * step
        forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
        place = np.clip(place + forward * speed[:, None] * step, 10, size - 10)
        rear += ((heading - rear + np.pi) % (2 * np.pi) - np.pi) * np.minimum(1, speed * step / (LENGTH / 2))
        back = np.stack([np.cos(rear), np.sin(rear)], axis=1)
        side = np.stack([-forward[:, 1], forward[:, 0]], axis=1)
        along = np.where(ALONG[None, :, None] < 0, back[:, None], forward[:, None])
        result[frame] = place[:, None] + ALONG[:, None] * along + ACROSS[:, None] * side[:, None]
    return result


def observe(truth: Floats, missing: float, seed: int, *, noise: float = 2.0, hidden: float = 0.6) -> Scene:
    """What a model reports.

    Args:
        missing: share of the animals that are not detected in a frame, at random.
        noise: standard deviation of a coordinate, px.
        hidden: the probability that a keypoint under another animal, which lies on top, is not found; if it is found, its
            confidence is low.
    """
    rng = np.random.default_rng(seed + 1000)
    poses, rows = [], []
    for places in truth:
        count = len(places)
        seen = rng.random((count, places.shape[1])) < 0.98
        confidence = rng.uniform(0.8, 1.0, seen.shape)
        for below in range(count):
            for above in range(below):
                under = _inside(places[below], places[above])
                seen[below] &= ~under | (rng.random(len(under)) > hidden)
                confidence[below] = np.where(under, rng.uniform(0.2, 0.6, len(under)), confidence[below])
        detected = (rng.random(count) >= missing) & seen.any(axis=1)
        animals = rng.permutation(np.flatnonzero(detected))
        keypoints = np.empty((len(animals), places.shape[1], 3), np.float32)
        keypoints[..., :2] = places[animals] + rng.normal(0, noise, (len(animals), places.shape[1], 2))
        keypoints[..., 2] = confidence[animals]
        keypoints[~seen[animals]] = (np.nan, np.nan, 0)
        poses.append(Pose(keypoints, SKELETON))
        rows.append(animals)
    return Scene(poses, rows, truth)


def _inside(points: Floats, body: Floats) -> NDArray[np.bool_]:
    """(K,) which points lie in the ellipse of another animal's body."""
    axis = body[0] - body[-1]
    length = max(float(np.hypot(*axis)), 1.0)
    off = points - (body[0] + body[-1]) / 2
    along, across = off @ axis / length, (off[:, 1] * axis[0] - off[:, 0] * axis[1]) / length
    return (along / (0.55 * LENGTH)) ** 2 + (across / (0.5 * WIDTH)) ** 2 < 1


def switches(animals: Sequence[Places], identities: Sequence[Sequence[object]]) -> int:
    """Identity switches: how often an animal has another identity than when it had one last.

    The mismatches of CLEAR MOT (Bernardin and Stiefelhagen 2008, "Evaluating multiple object tracking performance: the CLEAR
    MOT metrics", EURASIP J. Image Video Process.). Which row is which animal is known here, and need not be found by distance.

    Args:
        animals: for each frame, the animal of each row.
        identities: for each frame, the identity of each row; None for a row that has none.
    """
    last: dict[int, object] = {}
    count = 0
    for present, names in zip(animals, identities, strict=True):
        for animal, name in zip(present, names, strict=True):
            if name is not None and animal >= 0:
                count += last.get(int(animal), name) != name
                last[int(animal)] = name
    return count


def idf1(animals: Sequence[Places], identities: Sequence[Sequence[object]]) -> float:
    """IDF1, the share of detections with the right identity: 2 IDTP / (2 IDTP + IDFP + IDFN).

    Ristani et al. 2016, "Performance measures and a data set for multi-target, multi-camera tracking", ECCV workshops: every
    animal is matched to one identity, so that as many detections as possible agree (IDTP). Detections with another identity
    or none are IDFN; those of an identity on another animal IDFP. Frames in which an animal was not detected do not count:
    neither tracker adds positions.
    """
    from scipy.optimize import linear_sum_assignment

    pairs: dict[tuple[int, object], int] = {}
    detections = named = 0
    for present, names in zip(animals, identities, strict=True):
        for animal, name in zip(present, names, strict=True):
            detections += animal >= 0
            if name is not None:
                named += 1
                if animal >= 0:
                    pairs[int(animal), name] = pairs.get((int(animal), name), 0) + 1
    one, other = sorted({a for a, _ in pairs}), sorted({n for _, n in pairs}, key=str)
    table = np.array([[pairs.get((a, n), 0) for n in other] for a in one]).reshape(len(one), len(other))
    agree = int(table[linear_sum_assignment(table, maximize=True)].sum())
    return 2 * agree / max(detections + named, 1)
