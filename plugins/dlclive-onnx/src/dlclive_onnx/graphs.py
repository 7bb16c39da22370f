"""The two kinds of supported ONNX file: dlclive's own, and a bare network with DeepLabCut's configuration."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import ModelCard, ModelError, UnsupportedModelError
from dlclive_core.runtimes import (
    CARD_KEY,
    CONFIG_NAME,
    HeatmapDecoding,
    PoseConfig,
    check_network,
    pad,
    refuse_other_program,
    scorer_name,
)
from dlclive_onnx.binding import BoundRuns
from dlclive_onnx.heatmap_decoding import decode_heatmaps, normalise

Arrays = dict[str, NDArray[np.float32]]


class Graph(Protocol):
    """A loaded graph: images in, named arrays out, as in `Network.run`."""

    card: ModelCard

    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None) -> Arrays:
        """Run a batch; see `Network.run`."""

    def bind(self, runs: BoundRuns) -> None:
        """From now on, run the session with memory at fixed addresses."""


def recognise_graph(session: ort.InferenceSession, path: Path, pixels: int | None = None) -> Graph:
    """Determine which kind of file a session was made from. Raises ModelError if it is neither.

    Args:
        pixels: the most pixels that run at once; None: a whole batch.
    """
    card = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if card is not None:
        known = ModelCard.from_json(card, path.name)
        refuse_other_program(known, path.name)
        return WholeGraph(session, known, path, pixels)
    config = path.with_name(CONFIG_NAME)
    if not config.is_file():
        raise ModelError(
            f"{path.name} has no dlclive card and no {CONFIG_NAME} beside it, so its keypoints are unknown; "
            f"copy the training folder's {CONFIG_NAME} to {path.parent}, or export with: dlclive export MODEL.pt OUT.onnx"
        )
    return BareNetwork(session, PoseConfig.read(config), path)


class WholeGraph:
    """A graph that dlclive exported. It includes everything from the uint8 image to the keypoints.

    Attributes:
        card: of the model.
        batch: number of images that it takes at once; None: any.

    Args:
        pixels: the most pixels that run at once; None: a whole batch.
    """

    def __init__(self, session: ort.InferenceSession, card: ModelCard, path: Path, pixels: int | None = None) -> None:
        inputs = session.get_inputs()
        first = inputs[0] if inputs else None
        if first is None or first.name != "image" or first.type != "tensor(uint8)" or len(first.shape) != 4:
            raise ModelError(
                f"{path.name} has a dlclive card but not dlclive's input, image (N, H, W, 3) uint8: export it again"
            )
        self.card = card
        self._session, self._pixels = session, pixels
        self._inputs = [item.name for item in inputs]
        self._outputs = [item.name for item in session.get_outputs()]
        self.batch = first.shape[0] if isinstance(first.shape[0], int) else None
        fixed = _fixed_size(first.shape[1:3])
        if fixed is not None and fixed != card.input_size:
            self.card = card.with_(input_size=fixed)
        check_network(
            self.card,
            {item.name: item.shape for item in inputs},
            {item.name: item.shape for item in session.get_outputs()},
            path.name,
        )
        self._runs: BoundRuns | None = None

    @property
    def is_bound(self) -> bool:
        """Whether it runs with memory at fixed addresses."""
        return self._runs is not None

    def bind(self, runs: BoundRuns) -> None:
        """See Graph.bind."""
        self._runs = runs

    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None) -> Arrays:
        """Run a batch, in parts if the graph was exported for one image or if parts are faster."""
        count = self.at_once(images)
        if len(images) > count:
            slices = [slice(first, first + count) for first in range(0, len(images), count)]
            parts = [self.run(images[at], None if conditions is None else conditions[at]) for at in slices]
            return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}
        inputs = dict(zip(self._inputs, (images, conditions), strict=False))
        if self._runs is not None:
            return self._runs.run(inputs)
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))

    def at_once(self, images: NDArray[np.uint8]) -> int:
        """How many images of this size run together."""
        if self.batch is not None:
            return self.batch
        _, height, width, _ = images.shape
        return len(images) if self._pixels is None else max(1, self._pixels // (height * width))


class BareNetwork:
    """A plain `torch.onnx.export` of a heatmap network: normalised float input, heatmap and locref output.

    The input is (N, 3, H, W) float32. Outputs are identified by their channels: K for the heatmap, 2 K for the locref.
    """

    def __init__(self, session: ort.InferenceSession, config: PoseConfig, path: Path) -> None:
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            described = ", ".join(f"{item.name} {item.type} {item.shape}" for item in inputs)
            raise UnsupportedModelError(
                f"{path.name} takes {described}; a bare network must take a single (N, 3, H, W) float32 image"
            )
        if config.method != "bottom-up" or len(config.individuals) > 1:
            raise UnsupportedModelError(
                f"{path.name} is a {config.method} network for {len(config.individuals)} individuals, but a bare graph "
                "may have a single animal only; run: dlclive export MODEL.pt OUT.onnx"
            )
        self._session = session
        self._input = inputs[0].name
        self._size = _fixed_size(inputs[0].shape[2:4])
        self._batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
        self._config = config
        self._keypoints = len(config.skeleton)
        self._runs: BoundRuns | None = None
        self.card = config.card(
            scorer=scorer_name(config, path.stem), format="onnx-network", stride=self._stride(self._probe())
        ).with_(input_size=self._size)
        self._decoding = HeatmapDecoding.from_head(config.head(), stride=self.card.stride)

    def bind(self, runs: BoundRuns) -> None:
        """See Graph.bind."""
        self._runs = runs

    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None) -> Arrays:
        """Normalise, pad, run, and decode."""
        if self._batch == 1 and len(images) > 1:
            return {"keypoints": np.concatenate([self.run(image[None])["keypoints"] for image in images])}
        padded = pad(images, self._config.pad_divisor)
        heatmaps, locref = self._forward(normalise(padded, self._config.normalisation))
        return {"keypoints": decode_heatmaps(heatmaps, locref, self._decoding)}

    def _probe(self) -> tuple[int, int]:
        """(height, width) of an input from which the stride is determined."""
        if self._size is not None:
            return self._size
        unit = (math.lcm(64, self._config.pad_divisor[0]), math.lcm(64, self._config.pad_divisor[1]))
        return 4 * unit[0], 4 * unit[1]

    def _stride(self, size: tuple[int, int]) -> float:
        """Input pixels per cell; a power of two, because a deconvolution adds a cell at the edge."""
        heatmaps, _ = self._forward(np.zeros((1, 3, *size), np.float32))
        return float(2 ** round(math.log2(size[0] / heatmaps.shape[2])))

    def _forward(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        inputs = {self._input: pixels}
        outputs = self._session.run(None, inputs) if self._runs is None else self._runs.run(inputs).values()
        maps = [item for item in outputs if item.ndim == 4]
        heatmaps = [item for item in maps if item.shape[1] == self._keypoints]
        locref = [item for item in maps if item.shape[1] == 2 * self._keypoints]
        if len(heatmaps) != 1:
            shapes = ", ".join(str(tuple(item.shape)) for item in maps) or "no maps"
            raise ModelError(
                f"the network returns {shapes}, but {CONFIG_NAME} names {self._keypoints} bodyparts: it needs "
                f"exactly one heatmap with {self._keypoints} channels"
            )
        return heatmaps[0], locref[0] if locref else None


def _fixed_size(shape: list[int | str | None]) -> tuple[int, int] | None:
    height, width = shape
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None
