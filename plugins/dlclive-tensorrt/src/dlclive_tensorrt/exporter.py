"""The exporter from dlclive's ONNX files to TensorRT engines."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import tensorrt as trt
from numpy.typing import NDArray

from dlclive_core import DataError, DependencyError, Exporter, ModelCard, ModelError, UsageError, install_command
from dlclive_core.runtimes import CARD_KEY, detector_beside, fix_input_size, refuse_other_program, sha256
from dlclive_tensorrt.build import LEVEL, BuildRules, build_plan
from dlclive_tensorrt.compatibility import check_tensorrt, choose_gpu
from dlclive_tensorrt.cuda import Gpu, use_gpu, versions
from dlclive_tensorrt.detector import DETECTOR_SUFFIX
from dlclive_tensorrt.engine_file import EngineCard, plan_facts, write_engine
from dlclive_tensorrt.graphs import prepare
from dlclive_tensorrt.trusted_plans import trust_plans

_CROPS = 8


class EngineExporter(Exporter):
    """Builds an engine from dlclive's ONNX file, for one GPU and one image size.

    A build takes a minute or more. Keep the GPU otherwise idle meanwhile, because TensorRT times its kernels on it.

    Args:
        device: the GPU to build on: "auto" (the first), "cuda", "cuda:1", ...
        batches: the batch sizes, with a plan each; None: one image and, for networks that process crops, also one crop per
            individual of the project, up to 8.
        level: TensorRT's builder optimisation level, 0..5.
        workspace_mb: scratch GPU memory that a layer may use, in MB; None: unlimited.
        group_norms: write each group normalisation (of DeepLabCut's resnets) as one operator instead of an instance
            normalisation with others around it. Which is faster depends on TensorRT and the GPU: measure both.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        batches: Sequence[int] | None = None,
        level: int = LEVEL,
        workspace_mb: int | None = None,
        group_norms: bool = False,
    ) -> None:
        if batches is not None and (not batches or min(batches) < 1 or len(set(batches)) < len(batches)):
            raise UsageError(f"batches must be distinct numbers, each 1 or more; got {list(batches)}")
        self._device, self._batches, self._group_norms = device, batches, group_norms
        self._rules = BuildRules(level=level, workspace=None if workspace_mb is None else workspace_mb << 20)

    def check(self, card: ModelCard, *, precision: str = "fp32", size: tuple[int, int] | None = None) -> None:
        """See Exporter.check. Raises UsageError and DependencyError like `export`."""
        self._check(card, precision, size, "the model")

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
            UsageError: the size is missing, or the file cannot be converted to the precision.
            ModelError: dlclive did not write the file, or TensorRT cannot build it.
            DependencyError: the GPU, a supported TensorRT, or ONNX Runtime for the detector is missing.
            DataError: the engine cannot be written, or cannot be recorded as trusted.
        """
        source, target = Path(source), Path(target)
        model, card = _read_onnx(source)
        height_width, gpu = self._check(card, precision, size, source.name)
        use_gpu(gpu)
        plans = []
        fp16 = precision != card.precision
        for batch in self._batches or default_batches(card):
            graph = prepare(model, batch, height_width, group_norms=self._group_norms, fp16=fp16)
            plans.append((batch, build_plan(graph.SerializeToString(), gpu, self._rules, source.name)))
        card = card.with_(format="tensorrt", input_size=height_width, precision=precision)
        engine = self._card(card, gpu, plans, sha256(source))
        write_engine(target, engine, [plan for _, plan in plans])
        _copy_detector(card, source, target)
        try:
            trust_plans(engine.plans)
        except OSError as error:
            raise DataError(f"cannot record the engine as built here, so it could not be loaded: {error}") from None
        return card

    def _check(
        self, card: ModelCard, precision: str, size: tuple[int, int] | None, name: str
    ) -> tuple[tuple[int, int], Gpu]:
        """The engine's (height, width) and the GPU to build on; `name` is the source's, for messages."""
        height_width = _height_width(card, size, name)
        _check_precision(card, precision, name)
        check_tensorrt()
        if card.detector_sha256 and find_spec("onnxruntime") is None:
            raise DependencyError(
                f"the detector of {name} needs ONNX Runtime, which is not installed; run: {install_command('dlclive-onnx')}"
            )
        return height_width, choose_gpu(self._device)

    def _card(self, card: ModelCard, gpu: Gpu, plans: Sequence[tuple[int, bytes]], onnx_sha256: str) -> EngineCard:
        driver, cuda = versions()
        return EngineCard(
            model=card,
            gpu=gpu.name,
            capability=gpu.capability,
            tensorrt=trt.__version__,
            driver=driver,
            cuda=cuda,
            onnx_sha256=onnx_sha256,
            level=self._rules.level,
            group_norms=self._group_norms,
            plans=tuple(plan_facts(batch, plan) for batch, plan in plans),
        )


def default_batches(card: ModelCard) -> tuple[int, ...]:
    """The default batch sizes. The crops of all animals of a frame are run together."""
    animals = 1 if card.method == "bottom-up" else min(len(card.individuals), _CROPS)
    return (1,) if animals == 1 else (1, animals)


def _read_onnx(source: Path) -> tuple[onnx.ModelProto, ModelCard]:
    try:
        model = onnx.load(str(source), load_external_data=False)
    except Exception as error:  # protobuf raises exceptions of its own
        raise ModelError(f"{source} is not an ONNX model: {' '.join(str(error).split())}") from None
    cards = [item.value for item in model.metadata_props if item.key == CARD_KEY]
    if not cards:
        raise ModelError(
            f"{source.name} has no dlclive card inside, so it cannot be built into an engine: export the model itself, "
            "dlclive export MODEL.pt OUT.engine --size WIDTHxHEIGHT"
        )
    if any(item.data_location == onnx.TensorProto.EXTERNAL for item in model.graph.initializer):
        raise ModelError(
            f"{source.name} keeps weights in another file, which dlclive's exports never do: export it again"
        )
    card = ModelCard.from_json(cards[0], source.name)
    refuse_other_program(card, source.name)
    return model, card


def _height_width(card: ModelCard, size: tuple[int, int] | None, name: str) -> tuple[int, int]:
    """The (height, width) of the input, from `size` (width, height) or the card."""
    if size is None and card.input_size is None:
        raise UsageError(
            f"an engine is built for one image size, and {name} accepts any: pass the size of the camera's image, or of "
            "the region, with --size WIDTHxHEIGHT"
        )
    height_width = fix_input_size(card, size, name).input_size
    assert height_width is not None
    return height_width


def _check_precision(card: ModelCard, precision: str, name: str) -> None:
    if precision not in ("fp32", "fp16"):
        raise UsageError(f"no precision {precision!r} for engines: choose from fp32, fp16")
    if card.precision not in ("fp32", precision):
        raise UsageError(f"{name} is in {card.precision}: build it with --precision {card.precision}")
    if card.precision != precision and card.assembly is not None:
        raise UsageError(
            f"{name} is in fp32, and its network assembles animals with convolutions that must stay in fp32: export the "
            f"model itself, dlclive export MODEL.pt OUT.engine --precision {precision}"
        )


def _copy_detector(card: ModelCard, source: Path, target: Path) -> None:
    """Copy the detector, which stays an ONNX file, to the engine's folder."""
    if card.detector_sha256:
        original = detector_beside(source)
        if not original.is_file() or sha256(original) != card.detector_sha256:
            raise ModelError(f"the detector that belongs to {source.name} is not beside it: copy {original.name} there")
        copy = detector_beside(target, DETECTOR_SUFFIX)
        if not (copy.exists() and copy.samefile(original)):
            shutil.copyfile(original, copy)
