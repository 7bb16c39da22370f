"""The part of a frame around its animal, which begins at a multiple of the teacher's grid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_distill.animal import animal_centres


def part_corner(
    keypoints: NDArray[np.float32], shape: tuple[int, ...], side: tuple[int, int], grid: int
) -> NDArray[np.int64]:
    """Where the part around an animal begins, a multiple of the grid; in the middle of the frame if there is none."""
    size = np.array([shape[1], shape[0]])
    centre = animal_centres(keypoints)
    centre = np.where(np.isfinite(centre), centre, size / 2)
    last = np.maximum(0, np.ceil((size - side) / grid))
    return np.asarray(np.clip(np.round((centre - np.array(side) / 2) / grid), 0, last) * grid, np.int64)


def cut_part(image: NDArray[np.uint8], corner: NDArray[np.int64], side: tuple[int, int]) -> NDArray[np.uint8]:
    """(side[1], side[0], 3) from a corner on; beyond the frame, its reflection."""
    left, top = (int(value) for value in corner)
    part = image[top : top + side[1], left : left + side[0]]
    below, right = side[1] - part.shape[0], side[0] - part.shape[1]
    return np.asarray(cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT_101), np.uint8)


def cut_maps(
    heatmaps: NDArray[np.float16], shape: tuple[int, ...], corner: NDArray[np.int64], stride: float
) -> NDArray[np.float16]:
    """(K, h, w) of heatmaps (K, H, W), from a corner on; zeros beyond the frame."""
    left, top = (round(float(value) / stride) for value in corner)
    rows, columns = shape
    part = heatmaps[:, top : top + rows, left : left + columns]
    cut = np.zeros((len(heatmaps), rows, columns), np.float16)
    cut[:, : part.shape[1], : part.shape[2]] = part
    return cut
