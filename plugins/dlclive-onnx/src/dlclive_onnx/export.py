"""The exporter from ONNX to ONNX in int8."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from dlclive_core import DataError, Exporter, ModelCard, ModelError, UnsupportedModelError, UsageError
from dlclive_core.runtimes import CARD_KEY, detector_beside, fix_input_size, refuse_other_program
from dlclive_onnx.int8_nodes import ELEMENTWISE, choose_nodes, name_nodes, use_global_pooling
from dlclive_onnx.metadata import read_card


class OnnxQuantiser(Exporter):
    """Writes a file whose convolutions run in int8, calibrated on frames. For CPUs.

    Static quantisation by ONNX Runtime: signed weights with one scale per channel; unsigned activations, because on x86
    ONNX Runtime fuses only these with the convolution, with the range from the smallest to the largest observed value. The
    file contains the standard ONNX operators QuantizeLinear and DequantizeLinear, so other runtimes read it as well.
    A detector beside the source is copied unchanged.
    """

    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "int8",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        """See Exporter.export.

        Raises:
            UsageError: another precision, no frames, or a size other than the source's fixed one.
            ModelError, UnsupportedModelError: dlclive did not export the source in fp32, or it has nothing to quantise.
        """
        if precision != "int8":
            raise UsageError(f"no precision {precision!r} from ONNX to ONNX: choose int8")
        if not len(frames):
            raise UsageError("int8 needs frames of the animal for calibration: pass a clip with --video CLIP")
        card = fix_input_size(_card(source), size, source.name)
        model = _load(source)
        name_nodes(model.graph.node)
        use_global_pooling(model)
        if size is not None:
            _fix_size(model, size)
        nodes = choose_nodes(model.graph)
        if not nodes:
            raise UnsupportedModelError(
                f"{source.name} ({card.net_type}) has no convolution that can run in int8: export it again from its .pt file, "
                "or use it in fp32"
            )
        card = card.with_(precision="int8")
        _quantise(model, nodes, frames, card, target)
        if detector_beside(source).is_file() and card.detector_sha256:
            shutil.copyfile(detector_beside(source), detector_beside(target))
        return card


class _Frames(CalibrationDataReader):  # type: ignore[misc,unused-ignore]
    """The frames, as batches of one."""

    def __init__(self, name: str, frames: Sequence[NDArray[np.uint8]]) -> None:
        self._name, self._frames = name, iter(frames)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        frame = next(self._frames, None)
        return None if frame is None else {self._name: np.ascontiguousarray(frame)[None]}


def _card(source: Path) -> ModelCard:
    card = read_card(source)
    if card is None:
        raise ModelError(f"{source.name} was not exported by dlclive: export the model from its .pt file first")
    refuse_other_program(card, source.name)
    if card.precision != "fp32":
        raise ModelError(f"{source.name} is in {card.precision}, but int8 is made from fp32: give the fp32 file")
    return card


def _load(source: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(source))
    except Exception as error:  # whatever a damaged file makes protobuf raise
        raise ModelError(f"{source} is not an ONNX model: {' '.join(str(error).split())}") from None


def _fix_size(model: onnx.ModelProto, size: tuple[int, int]) -> None:
    """Write (width, height) into the input (N, H, W, 3); the shapes of what follows are found out again."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value, dims[1].dim_value = size
    del model.graph.value_info[:]


def _quantise(
    model: onnx.ModelProto, nodes: Sequence[str], frames: Sequence[NDArray[np.uint8]], card: ModelCard, target: Path
) -> None:
    """Calibrate and write. ONNX Runtime's intermediate files stay out of the target's folder."""
    with tempfile.TemporaryDirectory(prefix="dlclive-int8-") as folder, _quiet():
        between, quantised = Path(folder) / "model.onnx", Path(folder) / "int8.onnx"
        onnx.save_model(model, str(between))
        quantize_static(
            between,
            quantised,
            _Frames(model.graph.input[0].name, frames),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", *ELEMENTWISE],
            nodes_to_quantize=list(nodes),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        result = onnx.load(str(quantised))
    result.producer_name = "dlclive-onnx"
    onnx.helper.set_model_props(result, {CARD_KEY: card.to_json()})
    try:
        onnx.save_model(result, str(target))
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the advice that ONNX Runtime logs as warnings to the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
