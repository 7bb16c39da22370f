"""The exporter from DeepLabCut's `.pt` to ONNX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Exporter, ModelCard, UsageError
from dlclive_core.runtimes import DETECTOR_KEY, detector_beside, sha256
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.freezing import freeze_group_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx
from dlclive_torch.windows import fit_to_windows


class OnnxExporter(Exporter):
    """Writes an ONNX file: `image` (N, H, W, 3) uint8 RGB in, `keypoints` (N, I, K, 3) float32 or other arrays out.

    Normalisation, padding and decoding are in the graph and the card is in its metadata, so running the file needs neither
    PyTorch nor DeepLabCut's configuration. The detector of a top-down network is written to a separate file in float32,
    `model.detector.onnx` beside `model.onnx`; the card holds its hash, so a mismatch is detected.

    Args:
        frozen_norms: fix the statistics of group normalisations to those of the frames, and fold them into the convolutions.
            The network becomes faster, and specific to the camera and arena of the clip.
        window: (width, height) of a window that follows the animal. Channel attention in a window is then weighted as in the
            whole frames of the clip (`fit_to_windows`). The window may rotate, and windows of other sizes work nearly as
            well. The output for whole frames does not change.
    """

    def __init__(self, *, frozen_norms: bool = False, window: tuple[int, int] | None = None) -> None:
        if window is not None and min(window) < 1:
            raise UsageError(f"window is [width,height] in pixels, for example [352,256]; got {list(window)}")
        self._freezes, self._window = frozen_norms, window
        self.calibrates = frozen_norms or window is not None

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
        if self._freezes:
            _freeze(loaded.graph, card, frames)
        if self._window is not None:
            _fit(loaded.graph, card, frames, self._window)
        detector = loaded.detector()
        if detector is not None:
            from dlclive_torch.detectors.onnx_file import write_detector_onnx

            detector_path = detector_beside(target)
            write_detector_onnx(
                detector, detector_path, {DETECTOR_KEY: json.dumps({"model_sha256": card.source_sha256})}
            )
            card = card.with_(detector_sha256=sha256(detector_path))
        # Even if the PyTorch runtime does not fold them: ONNX Runtime would, with larger rounding errors.
        fold_batch_norms(loaded.graph.network)
        return write_onnx(loaded.graph, card, target, precision=precision, size=size)


def _freeze(graph: KeypointGraph, card: ModelCard, frames: Sequence[NDArray[np.uint8]]) -> None:
    if graph.conditional:
        raise UsageError(
            f"{card.net_type} needs keypoints in addition to images, so its norms cannot be frozen with images alone"
        )
    if not len(frames):
        raise UsageError("frozen_norms takes its statistics from frames of the animal: pass a clip with --frames CLIP")
    if not freeze_group_norms(graph, frames):
        raise UsageError(f"{card.net_type} has no group normalisation to freeze: export it without frozen_norms")


def _fit(graph: KeypointGraph, card: ModelCard, frames: Sequence[NDArray[np.uint8]], window: tuple[int, int]) -> None:
    if card.method != "bottom-up" or len(card.individuals) != 1:
        raise UsageError(
            f"a window needs a bottom-up network for one animal, and {card.net_type} is not one: export it without window"
        )
    if card.preparation is not None:
        raise UsageError(
            f"the configuration of {card.net_type} resizes or pads images (data.inference), and a window would be another "
            "picture: export it without window"
        )
    if not len(frames):
        raise UsageError("window is fitted to frames of the animal: pass a clip with --frames CLIP")
    if not fit_to_windows(graph, card.skeleton, frames, window):
        raise UsageError(f"{card.net_type} has no channel attention to fit to a window: export it without window")
