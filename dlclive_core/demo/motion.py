"""The motion of a mouse: a correlated random walk with stops and turns, a bending body, and a dragged tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.skeleton import Skeleton

MOUSE = Skeleton(
    ("snout", "leftear", "rightear", "centre", "tailbase"),
    ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4)),
)

SPINE_POINTS = 15
TAIL_POINTS = 12

_HEAD = 11  # index of the spine point between the ears
_CENTRE = 5
_EARS = 0.085  # half the distance between the ears, in body lengths
_TAIL = 0.85  # length of the tail, in body lengths


@dataclass(frozen=True, slots=True)
class Motion:
    """The shape of one mouse over T frames, in pixels.

    Attributes:
        spine: (T, SPINE_POINTS, 2) from the base of the tail to the snout.
        ears: (T, 2, 2) left and right.
        tail: (T, TAIL_POINTS, 2) from its base to its tip.
        keypoints: (T, 5, 2) in the order of `MOUSE`.
    """

    spine: NDArray[np.float64]
    ears: NDArray[np.float64]
    tail: NDArray[np.float64]
    keypoints: NDArray[np.float64]


def simulate(
    rng: np.random.Generator, frames: int, size: tuple[int, int], length: float, wall: float, fps: float
) -> Motion:
    """Simulate a mouse that walks in a box.

    Args:
        size: (width, height) of the frame.
        length: length of the body, in pixels.
        wall: width of the walls, in pixels.
        fps: frames per second.
    """
    dt = 1 / fps
    room = np.asarray(size, float)
    reach = wall + 0.55 * length  # the centre stays this far from the edges
    middle = room / 2
    position = rng.uniform(np.minimum(reach, middle), np.maximum(room - reach, middle))
    heading, turning, gaze, speed, walking = rng.uniform(-np.pi, np.pi), 0.0, 0.0, 0.0, True
    spine = np.empty((frames, SPINE_POINTS, 2))
    tail = np.empty((frames, TAIL_POINTS, 2))
    ears = np.empty((frames, 2, 2))
    bend, aim = 0.0, 0.0
    last_tail: NDArray[np.float64] | None = None
    for frame in range(frames):
        if rng.random() < dt * (0.4 if walking else 1.2):  # walks for about 2.5 s, rests for about 0.8 s
            walking = not walking
        target_speed = length * rng.uniform(0.8, 2.2) if walking else 0.0  # body lengths per second
        speed += (target_speed - speed) * min(1.0, 4 * dt)
        turning += -2.5 * turning * dt + 3.5 * np.sqrt(dt) * rng.normal()
        turning += _away_from_walls(position, heading, room, reach, length) * dt
        heading += turning * dt
        ahead = np.asarray([np.cos(heading), np.sin(heading)])
        position = np.clip(position + speed * dt * ahead, np.minimum(reach, middle), np.maximum(room - reach, middle))
        bend += (np.clip(0.45 * turning, -1.1, 1.1) - bend) * min(1.0, 6 * dt)
        aim += (
            -1.5 * aim * dt + 0.85 * np.sqrt(dt) * rng.normal()
        )  # the gaze follows with a lag, so that the head does not tremble
        gaze += (aim - gaze) * min(1.0, 9 * dt)
        spine[frame] = _spine(position, heading, bend, float(np.clip(gaze, -0.6, 0.6)), length)
        ears[frame] = _ears(spine[frame], length)
        sway = 0.25 * np.sin(2.2 * frame * dt + heading)
        last_tail = tail[frame] = _tail(spine[frame], last_tail, length, sway)
    keypoints = np.stack([spine[:, -1], ears[:, 0], ears[:, 1], spine[:, _CENTRE], spine[:, 0]], axis=1)
    return Motion(spine, ears, tail, keypoints)


def _away_from_walls(
    position: NDArray[np.float64], heading: float, room: NDArray[np.float64], reach: float, length: float
) -> float:
    """Angular acceleration that turns the mouse to the middle; it increases towards the walls."""
    nearest = float(min(position.min(), (room - position).min())) - reach
    if nearest > length:
        return 0.0
    inwards = room / 2 - position
    deviation = np.arctan2(inwards[1], inwards[0]) - heading
    deviation = (deviation + np.pi) % (2 * np.pi) - np.pi
    return float(9.0 * deviation * (1 - max(nearest, 0.0) / length))


def _spine(
    position: NDArray[np.float64], heading: float, bend: float, gaze: float, length: float
) -> NDArray[np.float64]:
    """Points at equal steps along a bent line through `position`; the head, its last part, turns aside by `gaze`."""
    along = np.linspace(-0.5, 0.5, SPINE_POINTS)
    angles = heading + bend * along
    angles[_HEAD:] += gaze * np.linspace(0.4, 1, SPINE_POINTS - _HEAD)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (length / (SPINE_POINTS - 1))
    points = np.cumsum(steps, axis=0)
    return position + points - points[_CENTRE]


def _ears(spine: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    forward = spine[_HEAD + 1] - spine[_HEAD - 1]
    forward = forward / np.linalg.norm(forward)
    left = np.asarray([forward[1], -forward[0]])  # y points down: up is the left side of a mouse that faces right
    return np.stack([spine[_HEAD] + _EARS * length * left, spine[_HEAD] - _EARS * length * left])


def _tail(
    spine: NDArray[np.float64], before: NDArray[np.float64] | None, length: float, sway: float
) -> NDArray[np.float64]:
    """A dragged tail: each point follows one step behind its predecessor."""
    step = _TAIL * length / (TAIL_POINTS - 1)
    back = spine[0] - spine[2]
    back = back / np.linalg.norm(back)
    side = np.asarray([-back[1], back[0]])
    tail = np.empty((TAIL_POINTS, 2))
    tail[0] = spine[0]
    for point in range(1, TAIL_POINTS):
        straight = tail[point - 1] + step * (back + sway * side * point / TAIL_POINTS)
        pulled = straight if before is None else 0.7 * before[point] + 0.3 * straight
        direction = pulled - tail[point - 1]
        tail[point] = tail[point - 1] + step * direction / max(float(np.linalg.norm(direction)), 1e-9)
    return tail
