"""Where the animals of the compared frames are said to be: keypoints to fit heads to, boxes to cut out, conditions.

All of it is drawn from seeds and has nothing to do with what the frames show: a network with random features is fitted
to it, so that its maps have the few clear peaks of a trained network's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAMES, FRAMES_CUT = 3, 2
"""Frames for bottom-up networks, and for those that get crops, two of each."""
WHOLE = (480, 640)
"""(height, width) of the frames that top-down networks get; bottom-up networks get `PATCH` of them."""
PATCH = (128, 160)
SMALL_PATCH = (96, 128)
"""For networks whose maps are as large as the image: DeepLabCut takes seconds for them."""
ANIMALS_CUT = 2
"""Animals in a frame for which a top-down network is asked."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """What is asked of a network in one frame.

    Attributes:
        keypoints: (I, K, 2) pixels of the network's input, for the fit: of I animals in a whole image, else of one in
            each of the I crops.
        unique: (U, 2) likewise.
        boxes: (I, 4) x1, y1, x2, y2, exactly as large as the network's input; empty for bottom-up networks.
        conditions: (I, K, 3) pixels of the frame and confidence, not found: 0, 0, 0; empty for other networks.
    """

    keypoints: Floats
    unique: Floats
    boxes: Floats
    conditions: Floats


def bottom_up(seed: int, size: tuple[int, int], individuals: int, keypoints: int, unique: int) -> Scene:
    """Animals side by side in a patch of (height, width) `size`."""
    rng = np.random.default_rng(seed)
    height, width = size
    centres = np.stack(
        [(np.arange(individuals) + 0.5) * width / individuals, rng.uniform(0.35, 0.65, individuals) * height], axis=-1
    )
    reach = 0.4 if individuals == 1 else 0.13
    poses = centres[:, None] + rng.uniform(-reach, reach, (individuals, keypoints, 2)) * min(height, width)
    corners = rng.uniform(0.1, 0.9, (unique, 2)) * (width, height)
    return Scene(poses.astype(np.float32), corners.astype(np.float32), np.empty((0, 4), np.float32), _no(keypoints))


def top_down(seed: int, size: tuple[int, int], keypoints: int) -> Scene:
    """Boxes of (height, width) `size` at whole pixels of the frame, and an animal in each."""
    rng = np.random.default_rng(seed)
    height, width = size
    extent = np.array([width, height])
    corners = rng.integers(0, np.array(WHOLE[::-1]) - extent + 1, (ANIMALS_CUT, 2))
    boxes = np.concatenate([corners, corners + extent], axis=1).astype(np.float32)
    poses = rng.uniform(0.15, 0.85, (ANIMALS_CUT, keypoints, 2)) * (width, height)
    return Scene(poses.astype(np.float32), np.empty((0, 2), np.float32), boxes, _no(keypoints))


def conditional(seed: int, size: tuple[int, int], keypoints: int, margin: int) -> Scene:
    """The same, with conditions whose box, `margin` around their keypoints, is as large as the network's input.

    The first two keypoints are in opposite corners of that box, the last one was not found.
    """
    scene = top_down(seed, size, keypoints)
    rng = np.random.default_rng(seed + 1000)
    low, high = scene.boxes[:, None, :2] + margin, scene.boxes[:, None, 2:] - margin
    places = rng.uniform(low, high, (ANIMALS_CUT, keypoints, 2))
    places[:, 0], places[:, 1] = low[:, 0], high[:, 0]
    sure = rng.uniform(0.4, 0.95, (ANIMALS_CUT, keypoints, 1))
    conditions = np.concatenate([places, sure], axis=-1)
    conditions[:, -1] = 0.0
    return Scene(scene.keypoints, scene.unique, scene.boxes, conditions.astype(np.float32))


def _no(keypoints: int) -> Floats:
    return np.empty((0, keypoints, 3), np.float32)
