"""Affinities of pairs of keypoint candidates: integrals of part affinity fields between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlclive_torch.peaks import Peaks

SHARES: tuple[float, ...] = tuple(torch.linspace(0, 1, 10).tolist())
"""Relative positions of the ten points at which the field is sampled along a limb: n / 9 in float32, as in DeepLabCut. The
rounding matters, because the points are truncated to integer cells."""


def pair_affinities(
    fields: Tensor, peaks: Peaks, edges: Sequence[tuple[int, int]] | Tensor, numbers: Sequence[int] | Tensor
) -> Tensor:
    """Integrate the field of each edge along the line between every pair of candidates for its ends.

    The field of an edge points along the limb (Cao et al. 2017, "Realtime multi-person 2D pose estimation using part
    affinity fields"). The points p_0, ..., p_9 are evenly spaced from one candidate's cell to the other's and truncated
    to integer cells. The affinity is the norm of the vector of integrals (of the x component over x, of the y component
    over y, by the trapezoidal rule) divided by the distance of the candidates, rounded to three decimals. It has no sign:
    a reversed field gives the same affinity. All of this matches DeepLabCut.

    The points are processed one at a time, so memory is a few times that of the result and independent of the map size.
    The fields are not copied.

    Args:
        fields: (N, 2F, h, w), channels x0, y0, x1, y1, ... of F fields.
        peaks: P candidates for each of K keypoints.
        edges: (L, 2) pairs of keypoints.
        numbers: (L,) index of the field of each edge. Pass `edges` and `numbers` as int64 tensors on the device to avoid a
            copy, which a CUDA graph cannot capture.

    Returns:
        (N, L, P, P) float32: candidate [i] for an edge's first keypoint and [j] for its second; 0 if either is missing.
    """
    sources, targets = torch.as_tensor(edges, device=fields.device).unbind(dim=1)
    height, width = fields.shape[2:]
    flat = fields.flatten(1)
    # the x component of each edge's field
    first = 2 * torch.as_tensor(numbers, device=fields.device).view(1, -1, 1, 1)
    cells = (peaks.columns.to(torch.float32), peaks.rows.to(torch.float32))
    starts = [_ends(axis, sources).unsqueeze(3) for axis in cells]  # each (N, L, P, 1)
    vectors = [
        _ends(axis, targets).unsqueeze(2) - start for axis, start in zip(cells, starts, strict=True)
    ]  # (N, L, P, P)
    integrals = [torch.zeros_like(vector) for vector in vectors]
    previous: list[tuple[Tensor, Tensor]] = []
    for share in SHARES:
        column, row = ((start + share * vector).to(torch.int64) for start, vector in zip(starts, vectors, strict=True))
        current = []
        for component, axis in enumerate((column, row)):
            indices = ((first + component) * height + row) * width + column
            values = flat.gather(1, indices.flatten(1)).view_as(indices)
            current.append((axis.to(torch.float32), values.to(torch.float32)))
        for component, (last, this) in enumerate(zip(previous, current, strict=False)):  # `previous` is empty at first
            integrals[component] = integrals[component] + (this[0] - last[0]) * (this[1] + last[1])
        previous = current
    lengths = torch.sqrt(vectors[0].square() + vectors[1].square()) + torch.finfo(torch.float32).eps
    affinities = torch.sqrt((integrals[0] / 2).square() + (integrals[1] / 2).square()) / lengths
    both = _ends(peaks.present, sources).unsqueeze(3) & _ends(peaks.present, targets).unsqueeze(2)
    return torch.where(both, torch.round(affinities * 1000) / 1000, 0.0)


def _ends(cells: Tensor, keypoints: Tensor) -> Tensor:
    """Select from (N, K, P) the keypoints (L,) at one end of each edge: (N, L, P)."""
    return cells.index_select(1, keypoints)
