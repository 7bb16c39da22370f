"""Channel attention that weights a window like the whole frame.

Channel attention weights each channel by its mean over the picture. A window that follows the animal has other means, so its
weights differ from those of the whole frame, and keypoints move by pixels. But the mean over the whole frame is

    share * mean over the window + (1 - share) * mean over the rest,

where `share` is the window's fraction of the frame's area. With a static camera the rest hardly changes. Its mean is
approximated by offset + slope * mean over the window, a line per channel, fitted to the frames of a clip. A whole frame has
no rest, so its output does not change. The remaining difference comes from the window's edges.
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
"""Minimum number of windows to fit a line to."""

_SURE = 0.5
_ALIGNED = 32  # a multiple of every network's stride
Image = NDArray[np.uint8]


class WindowedAttention(nn.Module):
    """Channel attention that estimates the mean of the whole frame from a window.

    Args:
        attention: the trained attention.
        area: cells of the feature map of a whole frame.
        offset, slope: (C,) coefficients of the line from the mean over the window to the mean over the rest.
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
    """Replace every channel attention of a network by a `WindowedAttention`, fitted to frames, in place.

    The windows are those of a rotating `FollowingCrop` around the animal that the network finds in each frame.

    Args:
        graph: in eval mode, on the CPU, in float32; it finds one animal.
        frames: (H, W, 3) uint8 RGB, all of the same size, representative of the network's input. Each takes two inferences.
        window: (width, height) in pixels.

    Returns:
        The number of channel attentions; 0 if nothing was changed.

    Raises:
        UsageError: the model finds the animal in too few frames, or the window is not smaller than the frames.
    """
    attentions = {name: part for name, part in graph.named_modules() if isinstance(part, ChannelAttention)}
    if not attentions:
        return 0
    crop = FollowingCrop(_SURE, 0.0, window, align=_ALIGNED, rotates=True)
    frame_means = {name: _Means() for name in attentions}
    window_means = {name: _Means() for name in attentions}
    for frame in frames:
        crop.reset()
        with _recording(attentions, frame_means) as recording:
            pose = Pose(graph(as_tensor(frame)[None])["keypoints"][0].numpy(), skeleton)
        crop.follow(pose)
        if not crop.is_following:
            continue
        view, _ = crop.cut(frame)
        if view.shape == frame.shape:
            raise UsageError(f"a window of {window[0]} x {window[1]} is as large as the frame: give a smaller one")
        recording.keep()
        with _recording(attentions, window_means) as recording:
            graph(as_tensor(np.ascontiguousarray(view))[None])
        recording.keep()
    count = len(next(iter(frame_means.values())).kept)
    if count < LEAST:
        raise UsageError(
            f"the model finds the animal in {count} of {len(frames)} frames; fitting windows needs at least {LEAST}: give a "
            "clip that shows the animal"
        )
    for name, attention in attentions.items():
        graph.set_submodule(name, _fit(attention, frame_means[name], window_means[name]))
    return len(attentions)


class _Means:
    """Channel means of an attention's input, each with the number of cells: the last one, and those kept."""

    def __init__(self) -> None:
        self.last: tuple[Tensor, int] | None = None
        self.kept: list[tuple[Tensor, int]] = []

    def record(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Forward pre-hook: record the channel means of an attention's input."""
        (x,) = inputs
        self.last = x.mean((2, 3), dtype=torch.float64)[0], x.shape[2] * x.shape[3]


class _Recording:
    def __init__(self, means: dict[str, _Means]) -> None:
        self._means = means

    def keep(self) -> None:
        for means in self._means.values():
            assert means.last is not None  # the network ran
            means.kept.append(means.last)


@contextmanager
def _recording(attentions: dict[str, ChannelAttention], means: dict[str, _Means]) -> Iterator[_Recording]:
    hooks = [part.register_forward_pre_hook(means[name].record) for name, part in attentions.items()]
    try:
        yield _Recording(means)
    finally:
        for hook in hooks:
            hook.remove()


def _fit(attention: ChannelAttention, frame_means: _Means, window_means: _Means) -> WindowedAttention:
    """Fit a line per channel by least squares; a constant if a channel never changes."""
    frames, windows = (torch.stack([means for means, _ in recorded.kept]) for recorded in (frame_means, window_means))
    area = frame_means.kept[0][1]
    share = torch.tensor([[cells / area] for _, cells in window_means.kept], dtype=torch.float64)
    rest = (frames - share * windows) / (1 - share)
    spread, windows_mean, rest_mean = windows - windows.mean(0), windows.mean(0), rest.mean(0)
    slope = (spread * (rest - rest_mean)).sum(0) / spread.square().sum(0).clamp_min(1e-12)
    offset = rest_mean - slope * windows_mean
    return WindowedAttention(attention, area, offset.float(), slope.float())
