"""The network that a student learns from: keypoints, and the heatmaps that they come from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dlclive_torch.device import describe_device, resolve_device
from dlclive_torch.heads.heatmap import HeatmapHead
from dlclive_torch.load import LoadedModel, load_deeplabcut
from dlclive_torch.network import BODYPART
from dlclive_torch.runs import as_tensor
from dlclive_torch.strict import convolutions
from numpy.typing import NDArray
from torch import Tensor

from dlclive_core import ModelCard, ModelError, UnsupportedModelError
from dlclive_core.runtimes import HeatmapDecoding

SURE = 0.6
"""Confidence from which a network is sure of a keypoint."""
BLIND = 0.1
"""Confidence below which it does not see the keypoint."""

SUPPORTED = "only networks with a heatmap for each keypoint of one animal (resnet, hrnet, cspnext) can be taught from"


class Teacher:
    """A DeepLabCut network for one animal that tells its heatmaps, in strict fp32.

    Args:
        path: the `.pt` file: an export, or a snapshot with `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda", "cuda:1", ...

    Attributes:
        card: the facts about the network.
        sha256: checksum of its file.
        stride: pixels of the frame per cell of a heatmap.
        grid: pixels: the network's answer depends on where in a grid of such squares the animal lies, because none of
            its strides is larger. Moved by half a square, the open field's network puts a keypoint 1.7 px elsewhere (median).
        animals, notices: 1, and none; see `Labeller`.

    Raises:
        UnsupportedModelError: not a `.pt` file, several animals, or a network without heatmaps.
        ModelError, UnsafeFileError: the file cannot be read.
        UsageError: there is no such device.
    """

    animals = 1
    notices: tuple[str, ...] = ()

    grid = 32

    def __init__(self, path: Path, device: str = "auto") -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != ".pt":
            raise UnsupportedModelError(
                f"a student learns from heatmaps, which {self.path.name} does not give: give the .pt file that it was made from"
            )
        self._device = resolve_device(device)
        loaded = load_deeplabcut(self.path)
        self._head = _heatmap_head(loaded, self.path)
        self.card: ModelCard = loaded.card
        self.sha256 = loaded.card.source_sha256
        self.stride = float(self._head.stride)
        self._graph = loaded.graph.to(self._device)
        self.device = describe_device(self._device)
        self._maps: Tensor | None = None
        self._head.heatmap_head.register_forward_hook(self._keep)

    def label(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Find the keypoints in frames.

        Args:
            images: (B, H, W, 3) uint8 RGB.

        Returns:
            keypoints (B, 1, K, 3) float32: x, y in pixels of the frame, where the centre of the first pixel is 0.5, and
            confidence; heatmaps (B, K, h, w) float16 from 0 to 1, after the sigmoid or clipping of the decoding, with cell
            (r, c) at ((c + 0.5) * stride, (r + 0.5) * stride). h and w are those of `map_size`: cells beyond
            the frame are left out.

        Raises:
            ModelError: the device has too little memory.
        """
        _, height, width, _ = images.shape
        try:
            with torch.inference_mode(), convolutions(strict=True):
                outputs = self._graph(as_tensor(images).to(self._device))
                assert self._maps is not None
                maps = _decoded(self._maps.float(), self._head.decoding)
        except torch.OutOfMemoryError:
            raise ModelError(
                f"{self.device} has too little memory for {len(images)} frames of {width} x {height}: use --device cpu"
            ) from None
        finally:
            self._maps = None
        rows, columns = self.map_size(width, height)
        keypoints = outputs["keypoints"][:, :1].cpu().numpy().astype(np.float32)
        return keypoints, maps[:, :, :rows, :columns].to(torch.float16).cpu().numpy()

    def map_size(self, width: int, height: int) -> tuple[int, int]:
        """(h, w): rows and columns of the heatmaps of a frame of width x height pixels."""
        return math.ceil(height / self.stride), math.ceil(width / self.stride)

    def _keep(self, module: object, inputs: object, output: Any) -> None:
        self._maps = output


def _decoded(maps: Tensor, decoding: HeatmapDecoding) -> Tensor:
    """From what the head computes to confidences, as `decode_heatmap` does at the highest cell."""
    if decoding.apply_sigmoid:
        maps = maps.sigmoid()
    return maps.clamp(0.0, 1.0)


def _heatmap_head(loaded: LoadedModel, path: Path) -> HeatmapHead:
    """The head for one animal. Raises UnsupportedModelError, saying what is supported."""
    card = loaded.card
    if len(card.individuals) > 1 or card.assembly is not None:
        raise UnsupportedModelError(
            f"{path.name} finds several animals, and their heatmaps cannot be taught: {SUPPORTED}"
        )
    if card.method != "bottom-up":
        raise UnsupportedModelError(f"{path.name} is a {card.method} network: {SUPPORTED}")
    if card.unique_keypoints:
        raise UnsupportedModelError(f"{path.name} has keypoints that exist once in the scene: {SUPPORTED}")
    head = loaded.graph.network.get_submodule(f"heads.{BODYPART}")
    if type(head) is not HeatmapHead:
        raise UnsupportedModelError(f"{path.name} ({card.net_type}) has no heatmaps for one animal: {SUPPORTED}")
    if card.preparation is not None:
        raise UnsupportedModelError(
            f"{path.name} resizes or pads whole frames first (data.inference in its configuration), which cannot be taught yet"
        )
    return head
