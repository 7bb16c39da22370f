"""From heatmaps of keypoints and centres, and offset maps, to the keypoints of several animals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor
from torch.nn import functional

from dlclive_core import UnsupportedModelError

KeypointScore = Literal["combined", "heatmap", "center"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DEKRDecoding:
    """How the maps of a DEKR head become keypoints; the defaults are those of deeplabcut 3.0.2.

    Attributes:
        stride: pixels of the network's input per cell of the maps.
        individuals: maximum number of animals.
        apply_sigmoid: the heatmaps hold logits.
        clip_scores: clip confidences to 0..1.
        use_heatmap: move each keypoint to the nearest of the highest peaks in its own heatmap.
        keypoint_score: confidence of a keypoint: "heatmap" is the value of its heatmap at its position, "center" the value
            of its animal's centre, "combined" the product of both.
        max_absorb_distance: maximum distance of such a peak, in cells.
        apply_pose_nms: drop duplicate poses.
        nms_threshold: used twice, as in DeepLabCut: keypoints of two poses are the same if they are closer than this
            fraction of the diagonal of the second pose's box, and the second pose is dropped if more than this number of
            them are.
    """

    stride: float
    individuals: int
    apply_sigmoid: bool = True
    clip_scores: bool = False
    use_heatmap: bool = True
    keypoint_score: KeypointScore = "combined"
    max_absorb_distance: float = 75.0
    apply_pose_nms: bool = True
    nms_threshold: float = 0.05

    @classmethod
    def from_predictor(cls, predictor: Mapping[str, Any], *, stride: float) -> DEKRDecoding:
        """Read the `predictor` part of a head."""
        options = {name: value for name, value in predictor.items() if value is not None}
        score = options.get("keypoint_score_type", "combined")
        if score not in get_args(KeypointScore):
            choices = ", ".join(get_args(KeypointScore))
            raise UnsupportedModelError(f"no keypoint_score_type {score!r} for a DEKRPredictor: choose from {choices}")
        default = cls(stride=stride, individuals=int(options["num_animals"]))
        return cls(
            stride=stride,
            individuals=default.individuals,
            apply_sigmoid=bool(options.get("apply_sigmoid", default.apply_sigmoid)),
            clip_scores=bool(options.get("clip_scores", default.clip_scores)),
            use_heatmap=bool(options.get("use_heatmap", default.use_heatmap)),
            keypoint_score=cast("KeypointScore", score),
            max_absorb_distance=float(options.get("max_absorb_distance", default.max_absorb_distance)),
            apply_pose_nms=bool(options.get("apply_pose_nms", default.apply_pose_nms)),
            nms_threshold=float(options.get("nms_threshold", default.nms_threshold)),
        )


def decode_dekr(heatmap: Tensor, offsets: Tensor, decoding: DEKRDecoding) -> Tensor:
    """Find the centres of animals, and each keypoint at an offset from its centre.

    Geng et al. 2021, "Bottom-up human pose estimation via disentangled keypoint regression" (arXiv 2104.02300). With S =
    stride, (r, c) one of the highest peaks of the centre heatmap and d = offsets[2k : 2k + 2, r, c], keypoint k is at
    x = (c - d_0) * S + S / 2, y = (r - d_1) * S + S / 2. The computation is in float32 and matches deeplabcut 3.0.2 with
    one exception: if the map has fewer than `individuals` peaks above 0, DeepLabCut builds poses from arbitrary cells; here
    these individuals are missing.

    Args:
        heatmap: (N, K + 1, h, w); the last channel is that of the centres.
        offsets: (N, 2K, h, w) in cells, channels x0, y0, x1, y1, ...
        decoding: stride, number of animals, and flags.

    Returns:
        (N, I, K, 3) float32: x [px], y [px], confidence; pixels of the network's input. Missing: NaN, NaN, 0. As in
        DeepLabCut, animals are in ascending order of their centre's score with `apply_pose_nms`, else in descending order;
        missing ones are last.
    """
    height, width = heatmap.shape[2], heatmap.shape[3]
    heatmap = heatmap.to(torch.float32)
    if decoding.apply_sigmoid:
        heatmap = heatmap.sigmoid()
    parts, centres = heatmap[:, :-1], _peaks(heatmap[:, -1:])[:, 0]
    centre, cells = centres.flatten(1).topk(decoding.individuals, dim=1)  # (N, I)
    individual_offsets = torch.unflatten(offsets.flatten(2).transpose(1, 2), 2, (-1, 2)).to(
        torch.float32
    )  # (N, h * w, K, 2)
    indices = cells[:, :, None, None].expand(-1, -1, individual_offsets.shape[2], 2)
    positions = _positions(cells, width).unsqueeze(2) - individual_offsets.gather(1, indices)  # (N, I, K, 2), in cells
    if decoding.use_heatmap:
        parts = _peaks(parts)  # DeepLabCut reads the confidences from the peaks, too
        positions = _snap(positions, parts, decoding)
    score = centre.unsqueeze(2).expand(-1, -1, positions.shape[2])
    if decoding.keypoint_score != "center":
        value = _values(parts, positions, height, width)
        score = value if decoding.keypoint_score == "heatmap" else score * value
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    positions = positions * decoding.stride + 0.5 * decoding.stride
    present = centre > 0
    if decoding.apply_pose_nms:
        present = present & ~_duplicates(positions, decoding.nms_threshold)
    mask = present[:, :, None, None]
    keypoints = torch.cat(
        [
            torch.where(mask, positions, torch.full_like(positions, torch.nan)),
            torch.where(mask, score.unsqueeze(3), torch.zeros_like(score).unsqueeze(3)),
        ],
        dim=3,
    )
    return _present_first(keypoints, present) if decoding.apply_pose_nms else keypoints


def _peaks(maps: Tensor) -> Tensor:
    """Set all cells of the maps to 0 that are not the highest within 2 cells."""
    highest = functional.max_pool2d(maps, kernel_size=5, stride=1, padding=2)
    return torch.where(maps == highest, maps, torch.zeros_like(maps))


def _positions(cells: Tensor, width: int) -> Tensor:
    """Convert flat cell indices to (..., 2) float32 columns and rows."""
    rows = torch.div(cells, width, rounding_mode="floor")
    columns = cells - rows * width  # not cells % width: the ONNX exporter does not support a symbolic divisor in %
    return torch.stack([columns, rows], dim=-1).to(torch.float32)


def _snap(positions: Tensor, peaks: Tensor, decoding: DEKRDecoding) -> Tensor:
    """Move each position (N, I, K, 2) to the nearest of the I highest peaks of its keypoint, if it is close enough."""
    heights, cells = peaks.flatten(2).topk(decoding.individuals, dim=2)  # (N, K, J)
    targets = _positions(cells, peaks.shape[3]).unsqueeze(1)  # (N, 1, K, J, 2)
    distances = torch.linalg.vector_norm(positions.unsqueeze(3) - targets, dim=-1)  # (N, I, K, J)
    distances = distances.masked_fill(heights.unsqueeze(1) <= 0, torch.inf)
    nearest = distances.argmin(dim=3, keepdim=True)
    target = targets.expand(-1, positions.shape[1], -1, -1, -1)
    target = target.gather(3, nearest.unsqueeze(4).expand(-1, -1, -1, -1, 2))
    return torch.where(distances.gather(3, nearest) < decoding.max_absorb_distance, target.squeeze(3), positions)


def _values(parts: Tensor, positions: Tensor, height: int, width: int) -> Tensor:
    """Return the values of the keypoints' maps (N, K, h, w) at the positions (N, I, K, 2), clamped to the map."""
    columns = positions[..., 0].floor().clamp(0, width - 1).to(torch.int64)
    rows = positions[..., 1].floor().clamp(0, height - 1).to(torch.int64)
    cells = (rows * width + columns).transpose(1, 2)  # (N, K, I)
    return parts.flatten(2).gather(2, cells).transpose(1, 2)


def _duplicates(positions: Tensor, threshold: float) -> Tensor:
    """(N, I): the pose duplicates one with a higher centre, which may itself be dropped; see `nms_threshold`."""
    extent = (positions.amax(dim=2) - positions.amin(dim=2)).square().sum(dim=2)
    extent = extent.clamp(min=1.0)  # (N, I), the diagonal squared
    distances = (positions.unsqueeze(2) - positions.unsqueeze(1)).square().sum(dim=4).sqrt()  # (N, I, I, K)
    near = distances < (extent.sqrt() * threshold)[:, None, :, None]
    shared = near.sum(dim=3) > threshold
    rank = torch.arange(positions.shape[1], device=positions.device)
    return (shared & (rank.unsqueeze(1) < rank)).any(dim=1)


def _present_first(keypoints: Tensor, present: Tensor) -> Tensor:
    """Reverse the order of the poses, and move missing ones to the end."""
    individuals = keypoints.shape[1]
    rank = torch.arange(individuals, device=keypoints.device, dtype=torch.float32)
    order = (present.to(torch.float32) * individuals + rank).argsort(dim=1, descending=True)
    return keypoints.gather(1, order[:, :, None, None].expand_as(keypoints))
