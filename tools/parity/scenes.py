"""The random animals of the compared frames: keypoints to which heads are fitted, boxes of crops, conditions.

They are drawn from seeds and unrelated to the content of the frames. A network with random features is fitted to them, so that
its maps have a few clear peaks, like those of a trained network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAMES, FRAMES_CUT = 3, 2
"""The number of frames for bottom-up networks, and for networks that process crops (two per frame)."""
WHOLE = (480, 640)
"""(height, width) of the frames for top-down networks; bottom-up networks get a `PATCH` of them."""
PATCH = (128, 160)
SMALL_PATCH = (96, 128)
"""For networks whose maps are as large as the image: DeepLabCut takes seconds for them."""
ANIMALS_CUT = 2
"""The number of animals per frame for top-down networks."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A network's input in one frame, and the keypoints for the fit.

    Attributes:
        keypoints: (I, K, 2) pixels of the network's input, for the fit: I animals in a whole image, or one animal in each of
            I crops.
        unique: (U, 2) the unique keypoints, likewise.
        boxes: (I, 4) x1, y1, x2, y2, exactly the size of the network's input; empty for bottom-up networks.
        conditions: (I, K, 3) pixels of the frame and confidence; an absent keypoint is 0, 0, 0. Empty for other networks.
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
    """Boxes of (height, width) `size` at integer pixels of the frame, with an animal in each."""
    rng = np.random.default_rng(seed)
    height, width = size
    extent = np.array([width, height])
    corners = rng.integers(0, np.array(WHOLE[::-1]) - extent + 1, (ANIMALS_CUT, 2))
    boxes = np.concatenate([corners, corners + extent], axis=1).astype(np.float32)
    poses = rng.uniform(0.15, 0.85, (ANIMALS_CUT, keypoints, 2)) * (width, height)
    return Scene(poses.astype(np.float32), np.empty((0, 2), np.float32), boxes, _no(keypoints))


def conditional(seed: int, size: tuple[int, int], keypoints: int, margin: int) -> Scene:
    """The same as `top_down`, with conditions whose bounding box plus `margin` has the size of the network's input.

    The first two keypoints are in opposite corners of the bounding box; the last one is absent.
    """
    scene = top_down(seed, size, keypoints)
    rng = np.random.default_rng(seed + 1000)
    low, high = scene.boxes[:, None, :2] + margin, scene.boxes[:, None, 2:] - margin
    positions = rng.uniform(low, high, (ANIMALS_CUT, keypoints, 2))
    positions[:, 0], positions[:, 1] = low[:, 0], high[:, 0]
    confidences = rng.uniform(0.4, 0.95, (ANIMALS_CUT, keypoints, 1))
    conditions = np.concatenate([positions, confidences], axis=-1)
    conditions[:, -1] = 0.0
    return Scene(scene.keypoints, scene.unique, scene.boxes, conditions.astype(np.float32))


def _no(keypoints: int) -> Floats:
    return np.empty((0, keypoints, 3), np.float32)
