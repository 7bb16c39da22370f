"""How well candidates for keypoints belong together: integrals of part affinity fields between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlclive_torch.peaks import Peaks

SHARES: tuple[float, ...] = tuple(torch.linspace(0, 1, 10).tolist())
"""Where along a limb its field is looked at: at ten points. These are the numbers that float32 has for n / 9, which matters,
because the points are cut to whole cells, and DeepLabCut's are the same."""


def pair_affinities(
    fields: Tensor, peaks: Peaks, edges: Sequence[tuple[int, int]] | Tensor, numbers: Sequence[int] | Tensor
) -> Tensor:
    """Integrate each edge's field along the line between every two candidates for its ends.

    The field of an edge points along the limb where there is one (Cao et al. 2017, "Realtime multi-person 2D pose
    estimation using part affinity fields"). With p_0, ..., p_9 evenly spaced from one candidate's cell to the other's,
    cut to whole cells, the affinity is the length of the vector of integrals (of the x component over x, of the y
    component over y, by the trapezoidal rule) divided by the distance of the two, rounded to three decimals. It has no
    sign: a field that points backwards is as good. All as DeepLabCut has it.

    The points are taken one after the other, so that the memory for it is a few times that of the result, however many
    candidates there are and whatever the size of the map. The fields are not copied.

    Args:
        fields: (N, 2F, h, w), channels x0, y0, x1, y1, ... of F fields.
        peaks: P candidates for each of K keypoints.
        edges: (L, 2) pairs of keypoints.
        numbers: (L,) the field of each edge. As int64 tensors on the device, the two need no copy to it, which a CUDA graph
            could not hold.

    Returns:
        (N, L, P, P) float32, of candidate [i] for an edge's first keypoint and [j] for its second; 0 where one is not there.
    """
    sources, targets = torch.as_tensor(edges, device=fields.device).unbind(dim=1)
    height, width = fields.shape[2:]
    flat = fields.flatten(1)
    # the x component of each edge's field
    first = 2 * torch.as_tensor(numbers, device=fields.device).view(1, -1, 1, 1)
    cells = (peaks.columns.to(torch.float32), peaks.rows.to(torch.float32))
    starts = [_ends(axis, sources).unsqueeze(3) for axis in cells]  # each (N, L, P, 1)
    ways = [
        _ends(axis, targets).unsqueeze(2) - start for axis, start in zip(cells, starts, strict=True)
    ]  # (N, L, P, P)
    integrals = [torch.zeros_like(way) for way in ways]
    before: list[tuple[Tensor, Tensor]] = []
    for share in SHARES:
        column, row = ((start + share * way).to(torch.int64) for start, way in zip(starts, ways, strict=True))
        now = []
        for component, axis in enumerate((column, row)):
            places = ((first + component) * height + row) * width + column
            values = flat.gather(1, places.flatten(1)).view_as(places)
            now.append((axis.to(torch.float32), values.to(torch.float32)))
        for component, (last, this) in enumerate(zip(before, now, strict=False)):  # the first point has none before it
            integrals[component] = integrals[component] + (this[0] - last[0]) * (this[1] + last[1])
        before = now
    lengths = torch.sqrt(ways[0].square() + ways[1].square()) + torch.finfo(torch.float32).eps
    affinities = torch.sqrt((integrals[0] / 2).square() + (integrals[1] / 2).square()) / lengths
    both = _ends(peaks.present, sources).unsqueeze(3) & _ends(peaks.present, targets).unsqueeze(2)
    return torch.where(both, torch.round(affinities * 1000) / 1000, 0.0)


def _ends(cells: Tensor, keypoints: Tensor) -> Tensor:
    """Of (N, K, P), those of the keypoints (L,) at one end of each edge: (N, L, P)."""
    return cells.index_select(1, keypoints)
