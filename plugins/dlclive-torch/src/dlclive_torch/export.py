"""The exporter from DeepLabCut's `.pt` to ONNX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Exporter, ModelCard
from dlclive_core.errors import UsageError
from dlclive_core.locate import detector_beside
from dlclive_core.system import sha256
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.freezing import freeze_group_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx

DETECTOR_KEY = "dlclive.detector"
"""The key of what a detector's file says of itself, in its metadata: the hash of the model that it belongs to."""


class OnnxExporter(Exporter):
    """Writes an ONNX file: `image` (N, H, W, 3) uint8 RGB in, `keypoints` (N, I, K, 3) float32 or other arrays out.

    Normalising, padding and decoding are in the graph and the card is in its metadata, so whoever runs the file needs
    neither PyTorch nor DeepLabCut's configuration. The detector of a top-down network becomes a file of its own beside it,
    `model.detector.onnx` beside `model.onnx`, in float32; the card holds its hash, so that the two are not mixed up.

    Args:
        frozen_norms: fix the statistics of group normalisations to those of the frames, and fold them into the convolutions.
            The network is faster, and another one: for one camera over one arena, whose clip is given.
    """

    def __init__(self, *, frozen_norms: bool = False) -> None:
        self.calibrates = frozen_norms

    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        loaded = load_deeplabcut(Path(source))
        card, target = loaded.card, Path(target)
        if self.calibrates:
            _freeze(loaded.graph, card, frames)
        detector = loaded.detector()
        if detector is not None:
            from dlclive_torch.detectors.onnx_file import write_detector_onnx

            beside = detector_beside(target)
            write_detector_onnx(detector, beside, {DETECTOR_KEY: json.dumps({"model_sha256": card.source_sha256})})
            card = card.with_(detector_sha256=sha256(beside))
        # Also where PyTorch runs them as they are: ONNX Runtime would fold them itself, and round more.
        fold_batch_norms(loaded.graph.network)
        return write_onnx(loaded.graph, card, target, precision=precision, size=size)


def _freeze(graph: KeypointGraph, card: ModelCard, frames: Sequence[NDArray[np.uint8]]) -> None:
    if graph.conditional:
        raise UsageError(f"{card.net_type} needs keypoints besides images, so its norms cannot be frozen on frames")
    if not len(frames):
        raise UsageError("frozen_norms takes its statistics from frames of the animal: give a clip, as --frames CLIP")
    if not freeze_group_norms(graph, frames):
        raise UsageError(
            f"{card.net_type} has no group normalisation that could be frozen: export it without frozen_norms"
        )
