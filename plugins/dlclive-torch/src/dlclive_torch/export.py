"""The exporter from DeepLabCut's `.pt` to ONNX."""

from __future__ import annotations

from pathlib import Path

from dlclive_core import Exporter, ModelCard
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx


class OnnxExporter(Exporter):
    """Writes one ONNX file: `image` (N, H, W, 3) uint8 RGB in, `keypoints` (N, I, K, 3) float32 out.

    Normalising, padding and decoding are in the graph and the card is in its metadata, so whoever runs the file needs
    neither PyTorch nor DeepLabCut's configuration.
    """

    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
    ) -> ModelCard:
        loaded = load_deeplabcut(Path(source))
        return write_onnx(loaded.graph, loaded.card, Path(target), precision=precision, size=size)
