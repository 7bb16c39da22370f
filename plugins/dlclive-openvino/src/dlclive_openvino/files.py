"""The files that OpenVINO reads: dlclive's ONNX files and the IR that dlclive exports, each with its card inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dlclive_core import ModelCard, ModelError, ModelNotFoundError
from dlclive_core.runtimes import CARD_KEY, check_network, refuse_other_program, sha256
from dlclive_openvino.devices import core
from dlclive_openvino.graph_fixes import fix_graph
from dlclive_openvino.library import ov

CARD = ["dlclive", "card"]
"""The path of the card in the run-time information (`rt_info`) of an IR."""

WEIGHTS = ["dlclive", "weights_sha256"]
"""The path of the hash of the .bin. OpenVINO itself would read the weights of another file without an error."""

_MOST_XML = 64 << 20
"""Bytes. The description of a large network has three million."""

_WEIGHTS_HASH = re.compile(rb'<weights_sha256 value="([0-9a-f]{64})"')

_ONNX_CARD = ["framework", CARD_KEY]


class ModelFile(NamedTuple):
    """A file that was read but not yet compiled. The card is None if the file has none."""

    model: ov.Model
    card: ModelCard | None


def weights_beside(path: Path) -> Path:
    """The path of an IR's weights."""
    return path.with_suffix(".bin")


def read_file(path: Path, ov_core: ov.Core | None = None) -> ModelFile:
    """Read a network or a detector.

    Raises:
        ModelNotFoundError: the weights are not beside the .xml.
        ModelError: OpenVINO cannot read the file, or the weights belong to another file.
    """
    is_ir = path.suffix.lower() == ".xml"
    if is_ir:
        _check_weights(path, weights_beside(path))
    try:
        model = (ov_core or core()).read_model(path)
    except Exception as error:  # OpenVINO raises plain RuntimeErrors with many lines
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not a model that OpenVINO can read: {reason[-300:]}") from None
    fix_graph(model)
    card_path = CARD if is_ir else _ONNX_CARD
    has_card = model.has_rt_info(card_path)
    return ModelFile(model, ModelCard.from_json(_text(model, card_path), path.name) if has_card else None)


def read_network(path: Path, ov_core: ov.Core | None = None) -> tuple[ov.Model, ModelCard]:
    """Read a network with its card; the card's `input_size` is that of the file.

    Raises:
        ModelNotFoundError: the weights are not beside the .xml.
        ModelError: OpenVINO cannot read the file, the weights belong to another file, or dlclive did not write the file,
            or wrote it for another program (UnsupportedModelError).
    """
    model, card = read_file(path, ov_core)
    if card is None:
        raise ModelError(
            f"{path.name} has no dlclive card inside, so its keypoints are unknown; export it with: dlclive export MODEL.pt "
            f"OUT{path.suffix}" + ("; or run it with runtime 'onnx'" if path.suffix.lower() == ".onnx" else "")
        )
    refuse_other_program(card, path.name)
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
    """Write a model as .xml and .bin, with its card and the hash of its weights, and without traces of its source.

    The weights keep their precision. The files are written twice, because the hash is known only after the first write.
    """
    model.set_rt_info({}, "framework")
    if card is not None:
        model.set_rt_info(card.to_json(), CARD)
    ov.save_model(model, path, compress_to_fp16=False)
    model.set_rt_info(sha256(weights_beside(path)), WEIGHTS)
    ov.save_model(model, path, compress_to_fp16=False)


def _check_weights(path: Path, weights: Path) -> None:
    """Check the weights before OpenVINO reads them: the .xml holds only byte offsets into the .bin."""
    if not weights.is_file():
        raise ModelNotFoundError(f"the weights of {path.name} are not beside it: copy {weights.name}, too")
    if path.stat().st_size > _MOST_XML:
        raise ModelError(f"{path} is not a model that OpenVINO can read: it is larger than any, {_MOST_XML >> 20} MiB")
    expected = _WEIGHTS_HASH.search(path.read_bytes())
    if expected is not None and expected[1].decode() != sha256(weights):
        raise ModelError(
            f"{weights.name} does not belong to {path.name}: copy both files of one export, or export it again"
        )


def _text(model: ov.Model, info_path: list[str]) -> str:
    info = model.get_rt_info(info_path)
    return str(getattr(info, "value", info))
