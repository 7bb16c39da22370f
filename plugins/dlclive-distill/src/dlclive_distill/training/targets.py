"""What the networks are trained towards: the teacher's heatmaps and positions, on the student's own cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dlclive_distill.training.networks import COARSE_CELL, CROWD_CELL

SURE = 0.6
"""Teacher's confidence from which its position counts fully; below half of it only its heatmap counts."""

_FLAT, _SLOPE = (
    0.6,
    0.9,
)  # cells: the top of a target is flat, so that its height does not depend on where in a cell it is
_REACH = 2.8  # cells around a keypoint whose offsets are trained
_OTHER = 4.5  # cells from the teacher's position, beyond which its heatmap shows a second guess
_BODY_FLAT, _BODY_SLOPE = 0.5, 1.1  # cells of the coarse map


class FineTargets(NamedTuple):
    """Targets for (B, K) maps of h x w cells.

    Attributes:
        heatmaps: (B, K, h, w) probabilities.
        offsets: (B, K, h, w, 2) to the keypoint, in cells.
        near: (B, K, h, w) weights of the offsets.
        xy: (B, K, 2) in cells.
        sure: (B, K) weights of the positions; 0 outside of the cut.
    """

    heatmaps: Tensor
    offsets: Tensor
    near: Tensor
    xy: Tensor
    sure: Tensor


def fine_targets(keypoints: NDArray[np.float32], shape: tuple[int, int], guesses: Tensor | None) -> FineTargets:
    """Targets of cuts.

    Where the teacher is sure, the target is a peak at its position, as high as its confidence, and what its heatmap shows
    farther away: a second guess. Where it is not, it is the heatmap itself; or, of a teacher that tells none, the same peak.

    Args:
        keypoints: (B, K, 3) of the teacher, in cells of the cut, and its confidence; NaN, NaN, 0 for what is not there.
        shape: (h, w) of the cut in cells.
        guesses: (B, K, h, w), its heatmaps on the cells of the cut; None: it tells none.
    """
    height, width = shape
    centres = torch.from_numpy(cell_centres(height, width))
    points = torch.from_numpy(np.nan_to_num(keypoints, nan=-1e4).astype(np.float32))
    confidence = points[:, :, 2, None, None].clamp(0, 1)
    offsets = points[:, :, None, None, :2] - centres
    distance = offsets.norm(dim=-1)
    peak = torch.exp(-((distance - _FLAT).clamp_min(0) ** 2) / (2 * _SLOPE**2))
    weight = ((confidence - SURE / 2) / (SURE / 2)).clamp(0, 1)
    heatmaps = confidence * peak
    if guesses is not None:
        sharp = torch.maximum(heatmaps, guesses * (distance > _OTHER))
        heatmaps = weight * sharp + (1 - weight) * guesses
    inside = ((points[..., :2] > 0) & (points[..., :2] < torch.tensor([width, height]))).all(-1)
    near = weight * peak * (distance < _REACH) * inside[:, :, None, None]
    return FineTargets(heatmaps, offsets, near, points[..., :2], weight[:, :, 0, 0] * inside)


def guesses_on(heatmaps: Tensor, points: NDArray[np.float64], stride: float) -> Tensor:
    """The teacher's heatmaps (B, K, H, W) at points (B, h, w, 2) of the frame in pixels; zero outside, linear in between."""
    height, width = heatmaps.shape[2:]
    extent = np.array([width * stride, height * stride])
    grid = torch.from_numpy((points / extent * 2 - 1).astype(np.float32))
    return functional.grid_sample(heatmaps, grid, align_corners=False, padding_mode="zeros")


def coarse_targets(centres: NDArray[np.float64], shape: tuple[int, int]) -> Tensor:
    """Probabilities (B, h, w) of animals' centres (B, A, 2) in pixels of the frame; NaN: there is none."""
    cells = cell_centres(*shape)
    size = COARSE_CELL if centres.shape[1] == 1 else CROWD_CELL
    distance = np.linalg.norm(cells - centres[:, :, None, None] / size, axis=-1)
    peak = np.exp(-(np.maximum(distance - _BODY_FLAT, 0) ** 2) / (2 * _BODY_SLOPE**2))
    return torch.from_numpy(np.nan_to_num(peak, nan=0.0).max(1).astype(np.float32))


def cell_centres(height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 2) x, y in cells."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns + 0.5, rows + 0.5], axis=-1).astype(np.float32)
