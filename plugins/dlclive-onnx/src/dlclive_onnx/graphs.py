"""The two kinds of ONNX file that are understood: dlclive's own, and a bare network with DeepLabCut's configuration."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import FrameError, ModelCard, ModelError, UnsupportedModelError
from dlclive_core.decoding import decode_heatmaps, normalise, pad
from dlclive_core.deeplabcut import CONFIG_NAME, HeatmapDecoding, PoseConfig, scorer_name

CARD_KEY = "dlclive.card"


class Graph(Protocol):
    """A loaded graph: images in, keypoints out."""

    card: ModelCard

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, H, W, 3) uint8 RGB -> (B, I, K, 3) float32 x, y, confidence in pixels of the images."""


def understand(session: ort.InferenceSession, path: Path) -> Graph:
    """Find out which kind of file a session was made from; ModelError if it is neither."""
    card = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if card is not None:
        return WholeGraph(session, ModelCard.from_json(card), path)
    config = path.with_name(CONFIG_NAME)
    if not config.is_file():
        raise ModelError(
            f"{path.name} has no dlclive card inside and no {CONFIG_NAME} beside it, so its keypoints are unknown; "
            f"copy the training folder's {CONFIG_NAME} to {path.parent}, or export with: dlclive export MODEL.pt OUT.onnx"
        )
    return BareNetwork(session, PoseConfig.read(config), path)


class WholeGraph:
    """A graph that dlclive exported: everything from the uint8 image to the keypoints is inside."""

    def __init__(self, session: ort.InferenceSession, card: ModelCard, path: Path) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)" or len(inputs[0].shape) != 4 or not outputs:
            raise ModelError(
                f"{path.name} has a dlclive card but not dlclive's input, (N, H, W, 3) uint8: export it again"
            )
        self.card = card
        self._session = session
        self._input = inputs[0].name
        self._outputs = [outputs[0].name]
        self._size = _fixed_size(inputs[0].shape[1:3])
        self._batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        _check_size(images.shape[1:3], self._size)
        if self._batch is not None and len(images) != self._batch:
            return np.concatenate([self.run(image[None]) for image in images])
        keypoints: NDArray[np.float32] = self._session.run(self._outputs, {self._input: images})[0]
        return keypoints


class BareNetwork:
    """Somebody's `torch.onnx.export` of a heatmap network: normalised float input, heatmap and locref output.

    The input is (N, 3, H, W) float32. The outputs are told apart by their channels: K for the heatmap, 2 K for the locref.
    """

    def __init__(self, session: ort.InferenceSession, config: PoseConfig, path: Path) -> None:
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            described = ", ".join(f"{item.name} {item.type} {item.shape}" for item in inputs)
            raise UnsupportedModelError(
                f"{path.name} takes {described}; a bare network must take one (N, 3, H, W) float32 image"
            )
        if config.method != "bottom-up" or config.multi_animal:
            raise UnsupportedModelError(
                f"{path.name} is a {config.method} network for {len(config.individuals)} individuals; a bare graph can be one "
                "of a single animal only; run: dlclive export MODEL.pt OUT.onnx"
            )
        self._session = session
        self._input = inputs[0].name
        self._size = _fixed_size(inputs[0].shape[2:4])
        self._batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
        self._config = config
        self._keypoints = len(config.skeleton)
        self._decoding: HeatmapDecoding | None = None
        self.card = config.card(
            scorer=scorer_name(config, path.stem), format="onnx-network", stride=self._stride(self._probe())
        ).with_(input_size=self._size)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._batch == 1 and len(images) > 1:
            return np.concatenate([self.run(image[None]) for image in images])
        padded = pad(images, self._config.pad_divisor)
        _check_size(padded.shape[1:3], self._size)
        heatmaps, locref = self._forward(normalise(padded, self._config.normalisation))
        decoding = HeatmapDecoding.from_head(self._config.head(), stride=self.card.stride)
        return decode_heatmaps(heatmaps, locref, decoding)

    def _probe(self) -> tuple[int, int]:
        """(height, width) of an input on which the stride is found out."""
        if self._size is not None:
            return self._size
        unit = (math.lcm(64, self._config.pad_divisor[0]), math.lcm(64, self._config.pad_divisor[1]))
        return 4 * unit[0], 4 * unit[1]

    def _stride(self, size: tuple[int, int]) -> float:
        """Input pixels per cell; a power of two, because a deconvolution adds a cell at the edge."""
        heatmaps, _ = self._forward(np.zeros((1, 3, *size), np.float32))
        return float(2 ** round(math.log2(size[0] / heatmaps.shape[2])))

    def _forward(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        maps = [item for item in self._session.run(None, {self._input: pixels}) if item.ndim == 4]
        heatmaps = [item for item in maps if item.shape[1] == self._keypoints]
        locref = [item for item in maps if item.shape[1] == 2 * self._keypoints]
        if len(heatmaps) != 1:
            shapes = ", ".join(str(tuple(item.shape)) for item in maps) or "no maps"
            raise ModelError(
                f"the network gives {shapes}; {CONFIG_NAME} names {self._keypoints} bodyparts, so one heatmap of "
                f"{self._keypoints} channels is needed"
            )
        return heatmaps[0], locref[0] if locref else None


def _fixed_size(shape: list[int | str | None]) -> tuple[int, int] | None:
    height, width = shape
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _check_size(shape: tuple[int, ...], size: tuple[int, int] | None) -> None:
    if size is not None and tuple(shape) != size:
        raise FrameError(
            f"this model's input is fixed to {size[1]} x {size[0]} pixels (width x height); the image is {shape[1]} x "
            f"{shape[0]}: crop or resize it, or export the model without a fixed size"
        )
