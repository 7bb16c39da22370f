"""Channel attention that gives a window what the whole frame would get.

Channel attention weights each channel by its mean over the picture. A window that follows the animal is another picture, so
its weights are other ones, and keypoints move by pixels. But the mean over the whole frame is

    share * mean over the window + (1 - share) * mean over the rest,

where `share` is the window's part of the frame's area, and the rest, seen by a camera that stands still, hardly changes. It
is taken as offset + slope * mean over the window, a line for each channel, fitted to the frames of a clip. A whole frame has
no rest, so there nothing changes. What is left of the difference comes from the window's edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_core import FollowingCrop, Pose, Skeleton, UsageError
from dlclive_torch.backbones.cspnext import ChannelAttention
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.runs import as_tensor

LEAST = 12
"""Windows that a line is fitted to, at least."""

_SURE = 0.5
_ALIGNED = 32  # a multiple of every network's stride
Image = NDArray[np.uint8]


class WindowedAttention(nn.Module):
    """Channel attention with the mean of the whole frame, of which it may see only a window.

    Args:
        attention: as trained.
        area: cells of the feature map of a whole frame.
        offset, slope: (C,) of the line from the mean over the window to the mean over the rest.
    """

    def __init__(self, attention: ChannelAttention, area: int, offset: Tensor, slope: Tensor) -> None:
        super().__init__()
        self.attention, self.area = attention, area
        self.offset: Tensor
        self.slope: Tensor
        self.register_buffer("offset", offset.reshape(1, -1, 1, 1))
        self.register_buffer("slope", slope.reshape(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        rest = torch.sym_max(0.0, 1.0 - x.shape[2] * x.shape[3] / self.area)
        means = means + rest * (self.offset + (self.slope - 1) * means)
        return x * self.attention.gates(means)


@torch.inference_mode()
def fit_to_windows(graph: KeypointGraph, skeleton: Skeleton, frames: Sequence[Image], window: tuple[int, int]) -> int:
    """Put `WindowedAttention` in the place of every channel attention of a network, fitted to frames, in place.

    The windows are those that a `FollowingCrop` that rotates would cut around the animal that the network finds in each frame.

    Args:
        graph: in eval mode, on the CPU, in float32; it finds one animal.
        frames: (H, W, 3) uint8 RGB, all of one size, of what the network will see. Each takes two inferences.
        window: (width, height) in pixels.

    Returns:
        How many channel attentions there are; 0: nothing is changed.

    Raises:
        UsageError: the animal is found in too few frames, or the window is not smaller than they are.
    """
    attentions = {name: part for name, part in graph.named_modules() if isinstance(part, ChannelAttention)}
    if not attentions:
        return 0
    crop = FollowingCrop(_SURE, 0.0, window, align=_ALIGNED, rotates=True)
    whole = {name: _Means() for name in attentions}
    inside = {name: _Means() for name in attentions}
    for frame in frames:
        crop.reset()
        with _noting(attentions, whole) as seen:
            pose = Pose(graph(as_tensor(frame)[None])["keypoints"][0].numpy(), skeleton)
        crop.follow(pose)
        if not crop.is_following:
            continue
        view, _ = crop.cut(frame)
        if view.shape == frame.shape:
            raise UsageError(f"a window of {window[0]} x {window[1]} is as large as the frame: give a smaller one")
        seen.keep()
        with _noting(attentions, inside) as seen:
            graph(as_tensor(np.ascontiguousarray(view))[None])
        seen.keep()
    found = len(next(iter(whole.values())).kept)
    if found < LEAST:
        raise UsageError(
            f"the model finds the animal in {found} of {len(frames)} frames, and windows are fitted to {LEAST} or more: give a "
            "clip that shows it"
        )
    for name, attention in attentions.items():
        graph.set_submodule(name, _fitted(attention, whole[name], inside[name]))
    return len(attentions)


class _Means:
    """Means of the channels over pictures, and the cells that each was taken over: those that are kept."""

    def __init__(self) -> None:
        self.last: tuple[Tensor, int] | None = None
        self.kept: list[tuple[Tensor, int]] = []

    def see(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Take in what goes into an attention, as a hook before it."""
        (x,) = inputs
        self.last = x.mean((2, 3), dtype=torch.float64)[0], x.shape[2] * x.shape[3]


class _Seen:
    def __init__(self, means: dict[str, _Means]) -> None:
        self._means = means

    def keep(self) -> None:
        for one in self._means.values():
            assert one.last is not None  # the network ran
            one.kept.append(one.last)


@contextmanager
def _noting(attentions: dict[str, ChannelAttention], means: dict[str, _Means]) -> Iterator[_Seen]:
    hooks = [part.register_forward_pre_hook(means[name].see) for name, part in attentions.items()]
    try:
        yield _Seen(means)
    finally:
        for hook in hooks:
            hook.remove()


def _fitted(attention: ChannelAttention, whole: _Means, inside: _Means) -> WindowedAttention:
    """Least squares, a line for each channel; where a channel never changes, a constant."""
    frames, windows = (torch.stack([means for means, _ in each.kept]) for each in (whole, inside))
    area = whole.kept[0][1]
    share = torch.tensor([[cells / area] for _, cells in inside.kept], dtype=torch.float64)
    rest = (frames - share * windows) / (1 - share)
    spread, windows_mean, rest_mean = windows - windows.mean(0), windows.mean(0), rest.mean(0)
    slope = (spread * (rest - rest_mean)).sum(0) / spread.square().sum(0).clamp_min(1e-12)
    offset = rest_mean - slope * windows_mean
    return WindowedAttention(attention, area, offset.float(), slope.float())
