"""The exporter from ONNX to OpenVINO's own format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, Exporter, ModelCard, ModelError, UsageError
from dlclive_core.runtimes import detector_beside, find_detector, fix_input_size, sha256
from dlclive_openvino.files import read_file, read_network, write_ir
from dlclive_openvino.library import ov

PRECISIONS = ("fp32", "bf16", "int8")


class OpenVinoExporter(Exporter):
    """Writes an IR: `model.xml` holds the network and its card, `model.bin` its weights.

    - fp32 and bf16 files have the same weights, in fp32; the card names the precision of the arithmetic.
    - int8 is calibrated on frames; the heads, the normalisation and the decoding stay in float.

    The detector of a top-down network becomes `model.detector.xml` and `.bin`, in fp32.
    """

    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        """See Exporter.export.

        Raises:
            UsageError: precision or size is invalid, or int8 was requested without frames.
            ModelError: the source cannot be exported.
            DataError: the target cannot be written.
        """
        source, target = Path(source), Path(target)
        if precision not in PRECISIONS:
            raise UsageError(f"no precision {precision!r} for .xml files: choose from {', '.join(PRECISIONS)}")
        if not target.parent.is_dir():
            raise DataError(f"cannot write {target}: no such folder")
        model, card = read_network(source)
        if card.precision != "fp32":
            raise ModelError(f"{source.name} is in {card.precision}: export the fp32 file it was made from")
        if size is not None:
            card = _fix(model, card, size)
        if precision == "int8":
            from dlclive_openvino.quantise import to_int8

            model = to_int8(model, frames, source.name)
        detector = find_detector(source, card, None)
        if detector is not None:
            beside = detector_beside(target)
            _write(read_file(detector).model, beside, None)
            card = card.with_(detector_sha256=sha256(beside))
        card = card.with_(format="openvino", precision=precision)
        _write(model, target, card)
        return card


def _fix(model: ov.Model, card: ModelCard, size: tuple[int, int]) -> ModelCard:
    """Fix the input size to (width, height) and return the card with that size; the batch stays dynamic."""
    card = fix_input_size(card, size, card.net_type)
    model.reshape({0: [-1, size[1], size[0], 3]})
    return card


def _write(model: ov.Model, target: Path, card: ModelCard | None) -> None:
    try:
        write_ir(model, target, card)
    except (OSError, RuntimeError) as error:
        raise DataError(f"cannot write {target}: {' '.join(str(error).split())[-200:]}") from None
