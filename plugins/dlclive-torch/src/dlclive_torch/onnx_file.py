"""Writing a graph as one ONNX file that carries its card."""

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

"""The key of the card in the file's metadata."""

PRECISIONS = ("fp32", "fp16")
"""That files are written in. ONNX Runtime has no convolutions in bf16 on CPUs, and other runtimes make it of fp32."""

OPSET = 18
"""Group normalisation is written as instance normalisation up to opset 20, which ONNX Runtime runs faster on a CPU than
the operator of its own that opset 21 has; benchmarks/groupnorm.md has the numbers."""

_TRACED = (2, 256, 320)
"""Batch, height and width of the picture that is traced; none of them stays in a file whose size is free."""


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

    What a KeypointGraph gives, it gives under the same names; a conditional one has a second input `conditions` (N, K, 3).

    Args:
        graph: a KeypointGraph in eval mode on the CPU, or a module that gives a dict with "keypoints". It is not changed.
        card: the facts about the model; `format`, `precision` and `input_size` are set here.
        target: the file to write.
        precision: "fp32", or "fp16" for a KeypointGraph: weights and arithmetic of its network in half precision.
        size: (width, height) to fix the input to; None leaves both free, unless the card has an `input_size`. N is free
            in both cases.
        opset: of the ONNX standard operators.

    Returns:
        The card that was written.

    Raises:
        UsageError: precision or size.
        ModelError: PyTorch cannot express the network in ONNX.
        DataError: the file cannot be written.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"no precision {precision!r} for ONNX files: choose from {', '.join(PRECISIONS)}")
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
    """Write a model with metadata, and without what PyTorch noted about this computer. DataError if it cannot be."""
    _forget_sources(model.graph)
    model.producer_name = "dlclive-torch"
    onnx.helper.set_model_props(model, dict(metadata))
    try:
        onnx.save_model(model, str(target))  # pathlib is not among the types that it declares
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from None


def _translate(graph: nn.Module, card: ModelCard, opset: int) -> onnx.ModelProto:
    batch, height, width = _TRACED
    size = card.input_size
    inputs = [torch.zeros((batch, *(size or (height, width)), 3), dtype=torch.uint8)]
    free: list[dict[int, Any]] = [{0: torch.export.Dim("batch")}]
    if size is None:
        free[0] |= {1: torch.export.Dim("height"), 2: torch.export.Dim("width")}
    if getattr(graph, "conditional", False):
        inputs.append(torch.zeros((batch, len(card.skeleton), 3)))
        free.append({0: torch.export.Dim.DYNAMIC})  # the batch of the images; a name twice is warned about
    try:
        with torch.inference_mode():
            program = torch.onnx.export(
                graph,
                tuple(inputs),
                dynamo=True,
                verbose=False,
                input_names=[IMAGE_INPUT, CONDITIONS_INPUT][: len(inputs)],
                output_names=list(getattr(graph, "outputs", ("keypoints",))),
                dynamic_shapes=tuple(free),
                opset_version=opset,
                external_data=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), "")
        advice = "" if size else "; a fixed size may work"
        raise ModelError(f"PyTorch cannot write this network as ONNX{advice} ({reason})") from error
    if program is None:
        raise ModelError("PyTorch wrote no ONNX program")
    return program.model_proto


def _forget_sources(graph: onnx.GraphProto) -> None:
    """Take out what PyTorch notes about the source code of each step: paths of this computer, and much of them."""
    for items in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer):
        for item in items:
            del item.metadata_props[:]
            item.doc_string = ""
    del graph.metadata_props[:]
