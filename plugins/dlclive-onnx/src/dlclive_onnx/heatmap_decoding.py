"""From a frame to a network's input, and from its heatmaps to keypoints, in numpy: for graphs that do neither.

Graphs that dlclive exports do both themselves; see `ModelCard`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.runtimes import IMAGENET_MEAN, IMAGENET_STD, HeatmapDecoding, Normalisation


def normalise(images: NDArray[np.uint8], how: Normalisation) -> NDArray[np.float32]:
    """(B, H, W, 3) uint8 RGB -> (B, 3, H, W) float32, as the network was trained."""
    pixels = images.astype(np.float32)
    if how != "none":
        pixels /= np.float32(255)
    if how == "imagenet":
        pixels -= np.asarray(IMAGENET_MEAN, np.float32)
        pixels /= np.asarray(IMAGENET_STD, np.float32)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def decode_heatmaps(
    heatmaps: NDArray[np.float32], locref: NDArray[np.float32] | None, decoding: HeatmapDecoding
) -> NDArray[np.float32]:
    """The highest cell of each heatmap, as one individual's keypoints.

    With stride S, the cell in column c and row r, and the refinement (u, v) there, x = S c + S / 2 + u * locref_std and
    y = S r + S / 2 + v * locref_std (DeepLabCut's heatmap predictor; Insafutdinov et al. 2016 for the refinement).
    The first of several equal cells counts, row by row.

    Args:
        heatmaps: (B, K, h, w).
        locref: (B, 2 K, h, w), the channels in the order x0, y0, x1, y1, ...; None where the head has none.

    Returns:
        (B, 1, K, 3) x, y [px of the network's input], confidence.
    """
    batch, keypoints, _, width = heatmaps.shape
    flat = heatmaps.reshape(batch, keypoints, -1)
    best = flat.argmax(axis=2)
    score = np.take_along_axis(flat, best[..., None], axis=2)[..., 0].astype(np.float32)
    stride = np.float32(decoding.stride)
    cells = np.stack([best % width, best // width], axis=-1).astype(np.float32)
    xy = cells * stride + stride / 2
    if locref is not None and decoding.locref_std is not None:
        offsets = locref.reshape(batch, keypoints, 2, -1)
        xy += np.take_along_axis(offsets, best[:, :, None, None], axis=3)[..., 0] * np.float32(decoding.locref_std)
    if decoding.apply_sigmoid:
        score = (1 / (1 + np.exp(-score))).astype(np.float32)
    if decoding.clip_scores:
        score = np.clip(score, 0, 1)
    return np.concatenate([xy, score[..., None]], axis=-1)[:, None].astype(np.float32)
