"""Freeze the statistics of group normalisations on a clip, and fold them into the preceding convolutions.

Wu and He 2018, "Group normalization": y = (x - mean) / std * weight + bias, with mean and std of a group of channels over one
image. Images of one camera over one arena should have similar statistics. With fixed statistics the normalisation is the
same for every image, as a batch normalisation is after training, and costs nothing. The network's output changes; an export
reports by how many pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.runs import as_tensor


class GroupStatistics:
    """The statistics of a group normalisation, accumulated over images.

    For images f with mean m_f and standard deviation s_f (epsilon included), the fixed normalisation that is closest in the
    least-squares sense is x * E[1 / s_f] - E[m_f / s_f].
    """

    def __init__(self, norm: nn.GroupNorm) -> None:
        self._norm = norm
        self._images = 0
        self._inverse = torch.zeros(norm.num_groups, dtype=torch.float64)
        self._shift = torch.zeros(norm.num_groups, dtype=torch.float64)

    def see(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Forward pre-hook: add the normalisation's input to the statistics."""
        groups = inputs[0].to(torch.float32).reshape(inputs[0].shape[0], self._norm.num_groups, -1)
        variance, mean = torch.var_mean(groups, dim=2, correction=0)
        inverse = (variance.double() + self._norm.eps).rsqrt()
        self._images += len(groups)
        self._inverse += inverse.sum(dim=0)
        self._shift += (mean * inverse).sum(dim=0)

    def frozen(self) -> nn.BatchNorm2d:
        """Return the normalisation with fixed statistics: a batch normalisation in eval mode."""
        inverse = self._inverse / self._images
        channels = self._norm.num_channels
        frozen = nn.BatchNorm2d(channels, eps=0.0).double().eval()
        group_size = channels // self._norm.num_groups
        frozen.running_var = inverse.square().reciprocal().repeat_interleave(group_size)
        frozen.running_mean = (self._shift / self._images / inverse).repeat_interleave(group_size)
        if self._norm.affine:
            frozen.load_state_dict(self._norm.state_dict(), strict=False)
        return frozen.to(self._norm.weight.dtype if self._norm.affine else torch.float32)


@torch.inference_mode()
def freeze_group_norms(graph: KeypointGraph, frames: Sequence[NDArray[np.uint8]]) -> int:
    """Fix the statistics of all group normalisations to those of frames, and fold them into convolutions, in place.

    All statistics are measured before any is fixed.

    Args:
        graph: in eval mode, on the CPU, in float32.
        frames: (H, W, 3) uint8 RGB, at least one, representative of the network's input. Each takes one inference.

    Returns:
        The number of group normalisations; 0 if nothing was changed.
    """
    norms = {name: part for name, part in graph.named_modules() if isinstance(part, nn.GroupNorm)}
    statistics = {name: GroupStatistics(norm) for name, norm in norms.items()}
    hooks = [norm.register_forward_pre_hook(statistics[name].see) for name, norm in norms.items()]
    try:
        for frame in frames if norms else ():
            graph(as_tensor(frame)[None])
    finally:
        for hook in hooks:
            hook.remove()
    for name, norm_statistics in statistics.items():
        graph.set_submodule(name, norm_statistics.frozen())
    fold_batch_norms(graph.network)
    return len(norms)
