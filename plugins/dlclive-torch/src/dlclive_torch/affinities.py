"""How well candidates for keypoints belong together: integrals of part affinity fields between them."""

from __future__ import annotations

import torch
from torch import Tensor

from dlclive_torch.peaks import Peaks

SAMPLES = 10
"""Points along a limb at which its field is looked at."""


def pair_affinities(fields: Tensor, peaks: Peaks, edges: tuple[tuple[int, int], ...]) -> Tensor:
    """Integrate each edge's field along the line between every two candidates for its ends.

    The field of an edge points along the limb where there is one (Cao et al. 2017, "Realtime multi-person 2D pose
    estimation using part affinity fields"). With p_0, ..., p_9 evenly spaced from one candidate's cell to the other's,
    cut to whole cells, the affinity is the length of the vector of integrals (of the x component over x, of the y
    component over y, by the trapezoidal rule) divided by the distance of the two, rounded to three decimals. It has no
    sign: a field that points backwards is as good. All as DeepLabCut has it.

    The points are taken one after the other, so that the memory for it is a few times that of the result, however many
    candidates there are and whatever the size of the map.

    Args:
        fields: (N, 2L, h, w), channels x0, y0, x1, y1, ... of the L edges.
        peaks: P candidates for each of K keypoints.
        edges: L pairs of keypoints.

    Returns:
        (N, L, P, P) float32, of candidate [i] for an edge's first keypoint and [j] for its second; 0 where one is not there.
    """
    sources, targets = ([edge[end] for edge in edges] for end in (0, 1))
    batch, width, count = fields.shape[0], fields.shape[3], len(edges)
    flat = fields.reshape(batch, count, 2, -1)
    start = [_ends(cells, sources).unsqueeze(3) for cells in (peaks.columns, peaks.rows)]  # each (N, L, P, 1)
    way = [
        _ends(cells, targets).unsqueeze(2) - origin
        for cells, origin in zip((peaks.columns, peaks.rows), start, strict=True)
    ]  # each (N, L, P, P)
    integrals = [torch.zeros_like(step) for step in way]
    before: list[tuple[Tensor, Tensor]] = []
    for share in torch.linspace(0, 1, SAMPLES).tolist():
        column, row = ((origin + share * step).to(torch.int64) for origin, step in zip(start, way, strict=True))
        places = (row * width + column).flatten(2)
        now = [
            (axis.to(torch.float32), flat[:, :, component].gather(2, places).view_as(axis).to(torch.float32))
            for component, axis in enumerate((column, row))
        ]
        for component, (last, this) in enumerate(zip(before, now, strict=False)):  # the first point has none before it
            integrals[component] = integrals[component] + (this[0] - last[0]) * (this[1] + last[1])
        before = now
    lengths = torch.sqrt(way[0].square() + way[1].square()) + torch.finfo(torch.float32).eps
    affinities = torch.sqrt((integrals[0] / 2).square() + (integrals[1] / 2).square()) / lengths
    both = _ends(peaks.present, sources).unsqueeze(3) & _ends(peaks.present, targets).unsqueeze(2)
    return torch.where(both, torch.round(affinities * 1000) / 1000, 0.0)


def _ends(cells: Tensor, keypoints: list[int]) -> Tensor:
    """Of (N, K, P), those of the keypoints at one end of each edge: (N, L, P)."""
    chosen = cells.index_select(1, torch.tensor(keypoints, device=cells.device))
    return chosen if chosen.dtype == torch.bool else chosen.to(torch.float32)
