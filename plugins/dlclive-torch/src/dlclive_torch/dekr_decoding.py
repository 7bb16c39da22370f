"""From maps of keypoints, centres and offsets to the keypoints of several animals."""

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
        individuals: how many animals are looked for.
        apply_sigmoid: the heatmaps hold logits.
        clip_scores: confidences are cut to 0..1.
        use_heatmap: move each keypoint to the nearest of the highest peaks in its own heatmap.
        keypoint_score: confidence of a keypoint: "heatmap" is its heatmap's value where it is, "center" the value of its
            animal's centre, "combined" the product of both.
        max_absorb_distance: how far a peak may be, in cells.
        apply_pose_nms: drop poses that are another animal's, too.
        nms_threshold: two things, as in DeepLabCut: keypoints of two poses are the same if they are nearer than this part
            of the diagonal of the second pose's box, and it is dropped if more than this number of them are.
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
        given = {name: value for name, value in predictor.items() if value is not None}
        score = given.get("keypoint_score_type", "combined")
        if score not in get_args(KeypointScore):
            choices = ", ".join(get_args(KeypointScore))
            raise UnsupportedModelError(f"no keypoint_score_type {score!r} for a DEKRPredictor: choose from {choices}")
        default = cls(stride=stride, individuals=int(given["num_animals"]))
        return cls(
            stride=stride,
            individuals=default.individuals,
            apply_sigmoid=bool(given.get("apply_sigmoid", default.apply_sigmoid)),
            clip_scores=bool(given.get("clip_scores", default.clip_scores)),
            use_heatmap=bool(given.get("use_heatmap", default.use_heatmap)),
            keypoint_score=cast("KeypointScore", score),
            max_absorb_distance=float(given.get("max_absorb_distance", default.max_absorb_distance)),
            apply_pose_nms=bool(given.get("apply_pose_nms", default.apply_pose_nms)),
            nms_threshold=float(given.get("nms_threshold", default.nms_threshold)),
        )


def decode_dekr(heatmap: Tensor, offsets: Tensor, decoding: DEKRDecoding) -> Tensor:
    """Find the centres of animals, and each keypoint at an offset from its centre.

    Geng et al. 2021, "Bottom-up human pose estimation via disentangled keypoint regression" (arXiv 2104.02300). With S =
    stride, (r, c) one of the highest peaks of the centres' map and d = offsets[2k : 2k + 2, r, c], keypoint k is at
    x = (c - d_0) * S + S / 2, y = (r - d_1) * S + S / 2. All is done as in deeplabcut 3.0.2, in float32, but for one
    thing: where the map has fewer peaks above 0 than animals are looked for, DeepLabCut makes poses of cells that
    nothing distinguishes; here these are not found.

    Args:
        heatmap: (N, K + 1, h, w), the last one that of the centres.
        offsets: (N, 2K, h, w) in cells, channels x0, y0, x1, y1, ...
        decoding: how.

    Returns:
        (N, I, K, 3) float32: x [px], y [px], confidence; pixels of the network's input. Not found: NaN, NaN, 0. As in
        DeepLabCut, the animals come in the order of rising centres if poses are dropped, falling ones if not; those not
        found are last.
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
    chosen = cells[:, :, None, None].expand(-1, -1, individual_offsets.shape[2], 2)
    places = _places(cells, width).unsqueeze(2) - individual_offsets.gather(1, chosen)  # (N, I, K, 2), in cells
    if decoding.use_heatmap:
        parts = _peaks(parts)  # DeepLabCut takes the confidences from what is left, too
        places = _snap(places, parts, decoding)
    score = centre.unsqueeze(2).expand(-1, -1, places.shape[2])
    if decoding.keypoint_score != "center":
        value = _values(parts, places, height, width)
        score = value if decoding.keypoint_score == "heatmap" else score * value
    if decoding.clip_scores:
        score = score.clamp(0.0, 1.0)
    places = places * decoding.stride + 0.5 * decoding.stride
    found = centre > 0
    if decoding.apply_pose_nms:
        found = found & ~_repeated(places, decoding.nms_threshold)
    shown = found[:, :, None, None]
    keypoints = torch.cat(
        [
            torch.where(shown, places, torch.full_like(places, torch.nan)),
            torch.where(shown, score.unsqueeze(3), torch.zeros_like(score).unsqueeze(3)),
        ],
        dim=3,
    )
    return _found_first(keypoints, found) if decoding.apply_pose_nms else keypoints


def _peaks(maps: Tensor) -> Tensor:
    """The maps with 0 in all cells that are not the highest within 2 cells."""
    highest = functional.max_pool2d(maps, kernel_size=5, stride=1, padding=2)
    return torch.where(maps == highest, maps, torch.zeros_like(maps))


def _places(cells: Tensor, width: int) -> Tensor:
    """Numbers of cells to (..., 2) float32 columns and rows."""
    rows = torch.div(cells, width, rounding_mode="floor")
    columns = cells - rows * width  # not cells % width: the ONNX exporter takes no symbolic divisor there
    return torch.stack([columns, rows], dim=-1).to(torch.float32)


def _snap(places: Tensor, peaks: Tensor, decoding: DEKRDecoding) -> Tensor:
    """Each place (N, I, K, 2) moved to the nearest of the I highest peaks of its keypoint, if that is near enough."""
    heights, cells = peaks.flatten(2).topk(decoding.individuals, dim=2)  # (N, K, J)
    targets = _places(cells, peaks.shape[3]).unsqueeze(1)  # (N, 1, K, J, 2)
    distances = torch.linalg.vector_norm(places.unsqueeze(3) - targets, dim=-1)  # (N, I, K, J)
    distances = distances.masked_fill(heights.unsqueeze(1) <= 0, torch.inf)
    nearest = distances.argmin(dim=3, keepdim=True)
    target = targets.expand(-1, places.shape[1], -1, -1, -1).gather(3, nearest.unsqueeze(4).expand(-1, -1, -1, -1, 2))
    return torch.where(distances.gather(3, nearest) < decoding.max_absorb_distance, target.squeeze(3), places)


def _values(parts: Tensor, places: Tensor, height: int, width: int) -> Tensor:
    """The value of each keypoint's map (N, K, h, w) in the cell of its place (N, I, K, 2), or the nearest in the map."""
    columns = places[..., 0].floor().clamp(0, width - 1).to(torch.int64)
    rows = places[..., 1].floor().clamp(0, height - 1).to(torch.int64)
    cells = (rows * width + columns).transpose(1, 2)  # (N, K, I)
    return parts.flatten(2).gather(2, cells).transpose(1, 2)


def _repeated(places: Tensor, threshold: float) -> Tensor:
    """(N, I): the pose is that of a surer centre, too, which itself may be dropped; see `nms_threshold`."""
    extent = (
        (places.amax(dim=2) - places.amin(dim=2)).square().sum(dim=2).clamp(min=1.0)
    )  # (N, I), the diagonal squared
    between = (places.unsqueeze(2) - places.unsqueeze(1)).square().sum(dim=4).sqrt()  # (N, I, I, K)
    near = between < (extent.sqrt() * threshold)[:, None, :, None]
    shared = near.sum(dim=3) > threshold
    rank = torch.arange(places.shape[1], device=places.device)
    return (shared & (rank.unsqueeze(1) < rank)).any(dim=1)


def _found_first(keypoints: Tensor, found: Tensor) -> Tensor:
    """Poses in the opposite order, those that were found before those that were not."""
    individuals = keypoints.shape[1]
    rank = torch.arange(individuals, device=keypoints.device, dtype=torch.float32)
    order = (found.to(torch.float32) * individuals + rank).argsort(dim=1, descending=True)
    return keypoints.gather(1, order[:, :, None, None].expand_as(keypoints))
