"""Writing a detector as one ONNX file that takes images of any size."""

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
from dlclive_torch.detectors.onnx_front import front_graph
from dlclive_torch.detectors.resizing import FixedSize, Resizing
from dlclive_torch.onnx_file import OPSET, save_onnx

_TRACED = (256, 320)
"""Height and width of the prepared picture that is traced; neither stays in the file."""


def write_detector_onnx(graph: DetectorGraph, target: Path, metadata: Mapping[str, str], *, opset: int = OPSET) -> None:
    """Write `image` (1, H, W, 3) uint8 RGB -> `boxes` (M, 4), `scores` (M,) float32 as one file, H and W free.

    Args:
        graph: with its weights, in eval mode on the CPU. It is not changed.
        target: the file to write.
        metadata: key and value of what the file says about itself.
        opset: of the ONNX standard operators.

    Raises:
        ModelError: PyTorch cannot express the network in ONNX.
        DataError: the file cannot be written.
    """
    if not target.parent.is_dir():
        raise DataError(f"cannot write {target}: no such folder")
    model = _translate(graph, opset)
    _put_in_front(front_graph(graph), model.graph)
    save_onnx(model, metadata, target)


class _Find(nn.Module):
    """DetectorGraph.find as a forward, which is what is traced."""

    def __init__(self, graph: DetectorGraph) -> None:
        super().__init__()
        self.whole = graph  # not `graph`: what PyTorch makes of this module has an attribute of that name

    def forward(self, images: Tensor, inside: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
        found = self.whole.find(images, inside, ratio)
        boxes, scores = (found[name] for name in DETECTOR_OUTPUTS)
        return boxes, scores


def _translate(graph: DetectorGraph, opset: int) -> onnx.ModelProto:
    images, free = _traced(graph.detector.resizing)
    width_height = torch.tensor((float(images.shape[3]), float(images.shape[2])))
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # torchvision's own call of a name that PyTorch is about to change
            warnings.filterwarnings("ignore", message=".*create_unbacked_symint", category=FutureWarning)
            program = torch.onnx.export(
                _Find(graph).eval(),
                (images, width_height, torch.ones(2)),
                dynamo=True,
                verbose=False,
                input_names=["images", "inside", "ratio"],
                output_names=list(DETECTOR_OUTPUTS),
                dynamic_shapes=(free, None, None),
                opset_version=opset,
                external_data=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), "")
        raise ModelError(f"PyTorch cannot write this detector as ONNX ({reason})") from error
    if program is None:
        raise ModelError("PyTorch wrote no ONNX program")
    return program.model_proto


def _traced(resizing: Resizing) -> tuple[Tensor, dict[int, object] | None]:
    """Return a picture as the network gets it, and which of its dimensions stay free."""
    if isinstance(resizing, FixedSize):
        height, width = resizing.resized(*_TRACED)
        return torch.zeros((1, 3, height, width)), None
    rows, columns = torch.export.Dim("rows"), torch.export.Dim("columns")
    return torch.zeros((1, 3, *_TRACED)), {2: resizing.divisor * rows, 3: resizing.divisor * columns}


def _put_in_front(front: onnx.GraphProto, network: onnx.GraphProto) -> None:
    """Let the network get its inputs from the front, whose outputs have their names."""
    nodes = list(network.node)
    del network.node[:]
    network.node.extend([*front.node, *nodes])
    network.initializer.extend(front.initializer)
    del network.input[:]
    network.input.extend(front.input)
    for output in network.output:
        output.type.tensor_type.shape.dim[0].dim_param = "animals"
