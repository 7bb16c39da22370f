"""Frames as they look when something at the rig is not as it was: what a student's guard is fitted to."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_distill.footage.variations import mirrored_frame, shifted
from dlclive_distill.training.light import LightRange, vary

_DIM = LightRange(gain=(0.08, 0.5), gamma=1.6, contrast=1.6, colour=1.3, blur=(1.0, 9.0), blurred=0.6, noise=0.15)
_BRIGHT = LightRange(gain=(0.8, 3.5), gamma=1.6, contrast=1.6, colour=1.3, blur=(1.0, 9.0), blurred=0.6, noise=0.15)
_DARKEST, _BRIGHTEST = 0.08, 3.0  # factors
_BLUR = (1.0, 9.0)  # pixels, standard deviation
_MOVED = 16  # pixels


class Damaged(NamedTuple):
    """A changed frame.

    Attributes:
        frame: (H, W, 3) uint8 RGB.
        keypoints: (A, K, 3), where the keypoints are in it.
        gone: whether there is no animal left.
        sound: whether it is a frame like any other.
    """

    frame: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    gone: bool = False
    sound: bool = False


def damage(
    frame: NDArray[np.uint8], keypoints: NDArray[np.float32], mirror: tuple[int, ...], random: np.random.Generator
) -> Damaged:
    """A frame (H, W, 3) with keypoints (A, K, 3), changed in one way or several, much or hardly.

    Args:
        mirror: the order of the keypoints in a mirror.
    """
    kind = random.random()
    if kind < 0.43:
        return mild(frame, keypoints, random)
    if kind < 0.56:
        return Damaged(*_mirrored(frame, keypoints, mirror))
    if random.random() < 0.2:
        frame, keypoints = _mirrored(frame, keypoints, mirror)
    return _mixed(np.ascontiguousarray(frame), keypoints, random)


def mild(frame: NDArray[np.uint8], keypoints: NDArray[np.float32], random: np.random.Generator) -> Damaged:
    """Darker, brighter or blurred, and nothing else."""
    kind = random.random()
    if kind < 0.4:
        return Damaged(_scaled(frame, np.exp(random.uniform(np.log(_DARKEST), 0))), keypoints)
    if kind < 0.6:
        return Damaged(_scaled(frame, np.exp(random.uniform(0, np.log(_BRIGHTEST)))), keypoints)
    sigma = float(np.exp(random.uniform(*np.log(_BLUR))))
    return Damaged(np.asarray(cv2.GaussianBlur(np.asarray(frame), (0, 0), sigma), np.uint8), keypoints)


def moved(frame: NDArray[np.uint8], keypoints: NDArray[np.float32], random: np.random.Generator) -> Damaged:
    """Moved by a few whole pixels: a frame like any other."""
    step = random.integers(-_MOVED, _MOVED + 1, 2)
    there = keypoints.copy()
    there[..., :2] += step
    return Damaged(shifted(frame, step), there, sound=True)


def _scaled(frame: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(np.asarray(frame), alpha=float(factor)), np.uint8)


def _mixed(frame: NDArray[np.uint8], keypoints: NDArray[np.float32], random: np.random.Generator) -> Damaged:
    """In other light, blurred and noisy, perhaps partly covered; or without its animal."""
    kind = random.random()
    if kind < 0.17:
        return Damaged(_shuffled(frame, random), keypoints, gone=True)
    if kind < 0.45:
        frame = _covered(frame, random)
    light = _DIM if random.random() < 0.6 else _BRIGHT
    return Damaged(vary(frame[None], random, light)[0], keypoints)


def _mirrored(
    frame: NDArray[np.uint8], keypoints: NDArray[np.float32], order: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A frame as a mirror shows it, and where its keypoints are there."""
    mirrored, turned = mirrored_frame(frame, keypoints)
    return np.ascontiguousarray(mirrored), turned[:, list(order)]


def _covered(frame: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """With a hand or a cable in front: a few thick lines of one colour."""
    height, width, _ = frame.shape
    covered = frame.copy()
    colour = [int(value) for value in random.integers(0, 256, 3)]
    for _ in range(int(random.integers(1, 4))):
        ends = [(int(random.integers(0, width)), int(random.integers(0, height))) for _ in range(2)]
        cv2.line(covered, ends[0], ends[1], colour, int(random.integers(8, max(9, min(height, width) // 5))))
    return covered


def _shuffled(frame: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """The tiles of the frame in another order: the colours of the rig, without its animal."""
    height, width, _ = frame.shape
    side = int(random.integers(12, 33))
    rows, columns = height // side, width // side
    shuffled = frame.copy()
    tiles = frame[: rows * side, : columns * side].reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    tiles = tiles.reshape(rows * columns, side, side, 3)[random.permutation(rows * columns)]
    whole = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    shuffled[: rows * side, : columns * side] = whole.reshape(rows * side, columns * side, 3)
    return shuffled
