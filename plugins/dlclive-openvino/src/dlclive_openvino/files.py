"""The files that OpenVINO reads: dlclive's own ONNX files, and the IR that dlclive exports, each with its card inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dlclive_core import ModelCard, ModelError, ModelNotFoundError
from dlclive_core.runtimes import CARD_KEY, check_network, sha256
from dlclive_openvino.devices import core
from dlclive_openvino.graph_fixes import fix_graph
from dlclive_openvino.library import ov

CARD = ["dlclive", "card"]
"""Where the card is in the run-time information (`rt_info`) of an IR."""

WEIGHTS = ["dlclive", "weights_sha256"]
"""Where the hash of the .bin is: another's weights would be read without complaint."""

_MOST_XML = 64 << 20
"""Bytes. The description of a large network has three million."""

_NOTED = re.compile(rb'<weights_sha256 value="([0-9a-f]{64})"')

_ONNX_CARD = ["framework", CARD_KEY]


class ModelFile(NamedTuple):
    """A file that was read, and not compiled yet; the card is None where there is none inside."""

    model: ov.Model
    card: ModelCard | None


def weights_beside(path: Path) -> Path:
    """The weights of an IR."""
    return path.with_suffix(".bin")


def read_file(path: Path, found: ov.Core | None = None) -> ModelFile:
    """Read a network or a detector.

    Raises:
        ModelNotFoundError: the weights are not beside the .xml.
        ModelError: it is none that OpenVINO can read, or its weights are another file's.
    """
    is_ir = path.suffix.lower() == ".xml"
    if is_ir:
        _check_weights(path, weights_beside(path))
    try:
        model = (found or core()).read_model(path)
    except Exception as error:  # OpenVINO raises plain RuntimeErrors of many lines
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not a model that OpenVINO can read: {reason[-300:]}") from None
    fix_graph(model)
    where = CARD if is_ir else _ONNX_CARD
    return ModelFile(model, ModelCard.from_json(_text(model, where), path.name) if model.has_rt_info(where) else None)


def read_network(path: Path, found: ov.Core | None = None) -> tuple[ov.Model, ModelCard]:
    """Read a network with its card, whose `input_size` is that of the file; ModelError where it is none of dlclive's."""
    model, card = read_file(path, found)
    if card is None:
        raise ModelError(
            f"{path.name} has no dlclive card inside, so its keypoints are unknown; export it with: dlclive export MODEL.pt "
            f"OUT{path.suffix}" + ("; or run it with runtime 'onnx'" if path.suffix.lower() == ".onnx" else "")
        )
    image = model.inputs[0]
    if image.any_name != "image" or image.element_type != ov.Type.u8 or len(image.partial_shape) != 4:
        raise ModelError(
            f"{path.name} has a dlclive card but not dlclive's input, image (N, H, W, 3) uint8: export it again"
        )
    height, width = image.partial_shape[1], image.partial_shape[2]
    if height.is_static and width.is_static:
        card = card.with_(input_size=(height.get_length(), width.get_length()))
    check_network(card, _shapes(model.inputs), _shapes(model.outputs), path.name)
    return model, card


def _shapes(ports: Sequence[ov.Output]) -> dict[str, list[int | None]]:
    """The names and shapes of inputs or outputs; None for a free length."""
    return {
        port.any_name: [length.get_length() if length.is_static else None for length in port.partial_shape]
        for port in ports
    }


def write_ir(model: ov.Model, path: Path, card: ModelCard | None) -> None:
    """Write a model as .xml and .bin, with its card and the hash of its weights inside, and nothing of where it came from.

    The weights stay in the precision that they have. They are written twice, because their hash is known only afterwards.
    """
    model.set_rt_info({}, "framework")
    if card is not None:
        model.set_rt_info(card.to_json(), CARD)
    ov.save_model(model, path, compress_to_fp16=False)
    model.set_rt_info(sha256(weights_beside(path)), WEIGHTS)
    ov.save_model(model, path, compress_to_fp16=False)


def _check_weights(path: Path, weights: Path) -> None:
    """Before OpenVINO reads them: the .xml says only at which bytes of the .bin something is."""
    if not weights.is_file():
        raise ModelNotFoundError(f"the weights of {path.name} are not beside it: copy {weights.name}, too")
    if path.stat().st_size > _MOST_XML:
        raise ModelError(f"{path} is not a model that OpenVINO can read: it is larger than any, {_MOST_XML >> 20} MiB")
    noted = _NOTED.search(path.read_bytes())
    if noted is not None and noted[1].decode() != sha256(weights):
        raise ModelError(
            f"{weights.name} does not belong to {path.name}: copy both files of one export, or export it again"
        )


def _text(model: ov.Model, where: list[str]) -> str:
    found = model.get_rt_info(where)
    return str(getattr(found, "value", found))
