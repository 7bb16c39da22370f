"""Write a graph as one ONNX file that carries its card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from dlclive_core import DataError, ModelCard, ModelError, UsageError
from dlclive_core.runtimes import CARD_KEY, CONDITIONS_INPUT, IMAGE_INPUT, fix_input_size
from dlclive_torch.device import resolve_dtype
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.precisions import FILE_PRECISIONS

OPSET = 18
"""Up to opset 20, group normalisation is written as instance normalisation. ONNX Runtime runs it faster on a CPU than the
GroupNormalization operator of opset 21; see benchmarks/groupnorm.md."""

_TRACED = (2, 256, 320)
"""Batch, height and width of the image used for tracing; a file with dynamic size does not keep them."""


def write_onnx(
    graph: nn.Module,
    card: ModelCard,
    target: Path,
    *,
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    opset: int = OPSET,
) -> ModelCard:
    """Write a graph as one file: `image` (N, H, W, 3) uint8 RGB in, `keypoints` (N, I, K, 3) float32 or other arrays out.

    The outputs have the names of the KeypointGraph's outputs. A conditional one has a second input `conditions` (N, K, 3).

    Args:
        graph: a KeypointGraph in eval mode on the CPU, or a module that returns a dict with "keypoints". It is not modified.
        card: describes the model; `format`, `precision` and `input_size` are set here.
        target: the file to write.
        precision: "fp32", or "fp16" for a KeypointGraph: weights and arithmetic of its network in half precision.
        size: (width, height) of a fixed input size; None for a dynamic size, unless the card has an `input_size`. N is
            always dynamic.
        opset: version of the ONNX standard operators.

    Returns:
        The card that was written.

    Raises:
        UsageError: the precision or size is invalid.
        ModelError: PyTorch cannot express the network in ONNX.
        DataError: the file cannot be written.
    """
    if precision not in FILE_PRECISIONS:
        raise UsageError(f"no precision {precision!r} for ONNX files: choose from {', '.join(FILE_PRECISIONS)}")
    card = fix_input_size(card, size, card.net_type)
    if precision != "fp32":
        if not isinstance(graph, KeypointGraph):
            raise UsageError(f"only a KeypointGraph can be written in {precision}, not a {type(graph).__name__}")
        graph = graph.in_dtype(resolve_dtype(precision))
    if not target.parent.is_dir():
        raise DataError(f"cannot write {target}: no such folder")
    card = card.with_(format="onnx", precision=precision)
    save_onnx(_translate(graph, card, opset), {CARD_KEY: card.to_json()}, target)
    return card


def save_onnx(model: onnx.ModelProto, metadata: Mapping[str, str], target: Path) -> None:
    """Write a model with metadata, without PyTorch's notes about this computer. DataError if the file cannot be written."""
    _remove_source_notes(model.graph)
    model.producer_name = "dlclive-torch"
    onnx.helper.set_model_props(model, dict(metadata))
    try:
        onnx.save_model(model, str(target))  # its type hints do not allow pathlib
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from None


def _translate(graph: nn.Module, card: ModelCard, opset: int) -> onnx.ModelProto:
    batch, height, width = _TRACED
    size = card.input_size
    inputs = [torch.zeros((batch, *(size or (height, width)), 3), dtype=torch.uint8)]
    dynamic: list[dict[int, Any]] = [{0: torch.export.Dim("batch")}]
    if size is None:
        dynamic[0] |= {1: torch.export.Dim("height"), 2: torch.export.Dim("width")}
    if getattr(graph, "conditional", False):
        inputs.append(torch.zeros((batch, len(card.skeleton), 3)))
        dynamic.append({0: torch.export.Dim.DYNAMIC})  # the same batch; PyTorch warns about a repeated name
    try:
        with torch.inference_mode():
            program = torch.onnx.export(
                graph,
                tuple(inputs),
                dynamo=True,
                verbose=False,
                input_names=[IMAGE_INPUT, CONDITIONS_INPUT][: len(inputs)],
                output_names=list(getattr(graph, "outputs", ("keypoints",))),
                dynamic_shapes=tuple(dynamic),
                opset_version=opset,
                external_data=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), "")
        advice = "" if size else "; a fixed size may work"
        raise ModelError(f"PyTorch cannot write this network as ONNX{advice} ({reason})") from error
    if program is None:
        raise ModelError("PyTorch returned no ONNX program")
    return program.model_proto


def _remove_source_notes(graph: onnx.GraphProto) -> None:
    """Remove PyTorch's notes about the source code of each node: they are large, and contain paths of this computer."""
    for items in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer):
        for item in items:
            del item.metadata_props[:]
            item.doc_string = ""
    del graph.metadata_props[:]
