"""Write a detector as one ONNX file that takes images of any size."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from dlclive_core import DataError, ModelError
from dlclive_core.runtimes import DETECTOR_OUTPUTS
from dlclive_torch.detectors.graph import DetectorGraph
from dlclive_torch.detectors.onnx_preprocessing import preprocessing_graph
from dlclive_torch.detectors.resizing import FixedSize, Resizing
from dlclive_torch.onnx_file import OPSET, save_onnx

_TRACED = (256, 320)
"""Height and width of the prepared image used for tracing; the file does not keep them."""


def write_detector_onnx(graph: DetectorGraph, target: Path, metadata: Mapping[str, str], *, opset: int = OPSET) -> None:
    """Write `image` (1, H, W, 3) uint8 RGB -> `boxes` (M, 4), `scores` (M,) float32 as one file; H and W are dynamic.

    Args:
        graph: with its weights, in eval mode on the CPU. It is not modified.
        target: the file to write.
        metadata: the file's metadata, by key.
        opset: version of the ONNX standard operators.

    Raises:
        ModelError: PyTorch cannot express the network in ONNX.
        DataError: the file cannot be written.
    """
    if not target.parent.is_dir():
        raise DataError(f"cannot write {target}: no such folder")
    model = _translate(graph, opset)
    _prepend(preprocessing_graph(graph), model.graph)
    save_onnx(model, metadata, target)


class _Find(nn.Module):
    """DetectorGraph.find as `forward`, for tracing."""

    def __init__(self, graph: DetectorGraph) -> None:
        super().__init__()
        self.whole = graph  # not `graph`: PyTorch's traced module has an attribute of that name

    def forward(self, images: Tensor, inside: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
        detections = self.whole.find(images, inside, ratio)
        boxes, scores = (detections[name] for name in DETECTOR_OUTPUTS)
        return boxes, scores


def _translate(graph: DetectorGraph, opset: int) -> onnx.ModelProto:
    images, dynamic = _example_input(graph.detector.resizing)
    width_height = torch.tensor((float(images.shape[3]), float(images.shape[2])))
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # torchvision calls a function that PyTorch is about to rename
            warnings.filterwarnings("ignore", message=".*create_unbacked_symint", category=FutureWarning)
            program = torch.onnx.export(
                _Find(graph).eval(),
                (images, width_height, torch.ones(2)),
                dynamo=True,
                verbose=False,
                input_names=["images", "inside", "ratio"],
                output_names=list(DETECTOR_OUTPUTS),
                dynamic_shapes=(dynamic, None, None),
                opset_version=opset,
                external_data=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), "")
        raise ModelError(f"PyTorch cannot write this detector as ONNX ({reason})") from error
    if program is None:
        raise ModelError("PyTorch returned no ONNX program")
    return program.model_proto


def _example_input(resizing: Resizing) -> tuple[Tensor, dict[int, object] | None]:
    """Return an image as the network receives it, and its dynamic dimensions."""
    if isinstance(resizing, FixedSize):
        height, width = resizing.resized(*_TRACED)
        return torch.zeros((1, 3, height, width)), None
    rows, columns = torch.export.Dim("rows"), torch.export.Dim("columns")
    return torch.zeros((1, 3, *_TRACED)), {2: resizing.divisor * rows, 3: resizing.divisor * columns}


def _prepend(preprocessing: onnx.GraphProto, network: onnx.GraphProto) -> None:
    """Insert the preprocessing before the network; its outputs have the names of the network's inputs."""
    nodes = list(network.node)
    del network.node[:]
    network.node.extend([*preprocessing.node, *nodes])
    network.initializer.extend(preprocessing.initializer)
    del network.input[:]
    network.input.extend(preprocessing.input)
    for output in network.output:
        output.type.tensor_type.shape.dim[0].dim_param = "animals"
