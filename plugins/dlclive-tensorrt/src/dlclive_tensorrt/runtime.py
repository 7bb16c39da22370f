"""A network that TensorRT runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Detector, DLCLiveError, ModelError, Network, Setting, UsageError
from dlclive_core.runtimes import check_network, find_detector
from dlclive_tensorrt.compatibility import check_fit, check_tensorrt, choose_gpu, find_mismatch
from dlclive_tensorrt.cuda import gpus, use_gpu
from dlclive_tensorrt.detector import DETECTOR_SUFFIX, OnnxDetector
from dlclive_tensorrt.engine_file import read_card, read_engine
from dlclive_tensorrt.loaded_plan import LoadedPlan
from dlclive_tensorrt.trusted_plans import are_trusted, refuse_untrusted


class TensorRTNetwork(Network):
    """An `.engine` file as a Network.

    A batch runs in the smallest plan that is large enough; a batch larger than the largest plan is split into several runs.

    Args:
        path: a file that `dlclive export` wrote on this computer.
        device: "auto", "cuda" or "cuda:<number>".
        precision: "auto", or the engine's own precision; it cannot be changed after the export.
        trust: load the engine even if you did not build it on this computer. TensorRT executes code in it.
        detector: the detector's `.onnx` file of a top-down network; None: the one exported with the network.

    Raises:
        UsageError: the device or the precision is invalid.
        DependencyError: there is no GPU, or the installed TensorRT is not version 11.
        ModelError: the file is not an engine written by dlclive, is damaged, or needs more memory than is free.
        UnsupportedModelError: the engine was built for another GPU or TensorRT.
        UnsafeFileError: the engine is not trusted.
    """

    runtime = "tensorrt"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        trust: bool = False,
        detector: Path | None = None,
    ) -> None:
        self._path, self._detector_path = Path(path), detector
        engine, plans = read_engine(self._path)
        self.card = engine.model
        if precision.lower() not in ("auto", self.card.precision):
            raise UsageError(
                f"{self._path.name} is in {self.card.precision}, not {precision}; export it again with --precision {precision}"
            )
        check_tensorrt()
        self._gpu = choose_gpu(device)
        check_fit(engine, self._gpu, self._path.name)
        if not trust:
            refuse_untrusted(engine.plans, self._path)
        use_gpu(self._gpu)
        self._plans: list[LoadedPlan] = []
        try:
            for facts, plan in zip(engine.plans, plans, strict=True):
                self._plans.append(LoadedPlan(plan, facts.batch, self._path.name))
                check_network(self.card, self._plans[-1].inputs, self._plans[-1].outputs, self._path.name)
        except BaseException:
            self.close()
            raise
        self._plans.sort(key=lambda plan: plan.batch)
        self.device = str(self._gpu) + ("" if all(plan.captured for plan in self._plans) else ", without a CUDA graph")

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        """The GPUs for which the engine was built, in its precision; empty if it would be rejected."""
        try:
            check_tensorrt()
            card = read_card(Path(path))
        except DLCLiveError:
            return ()
        if not are_trusted(card.plans):
            return ()
        return [Setting(gpu.device, card.model.precision) for gpu in gpus() if not find_mismatch(card, gpu)]

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        if not self._plans:
            raise ModelError("the model is closed")
        use_gpu(self._gpu)  # other code may have selected another GPU for this thread
        results: list[dict[str, NDArray[np.float32]]] = []
        first = 0
        for plan, count in self._split(len(images)):
            rows = slice(first, first + count)
            results.append(plan.run(images[rows], None if conditions is None else conditions[rows]))
            first += count
        if len(results) == 1:
            return results[0]
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def detector(self) -> Detector | None:
        """See Network.detector."""
        file = find_detector(self._path, self.card, self._detector_path, suffix=DETECTOR_SUFFIX)
        return None if file is None else OnnxDetector(file, self._gpu)

    def close(self) -> None:
        """Free the GPU's memory."""
        while self._plans:
            self._plans.pop().close()

    def _split(self, count: int) -> Iterator[tuple[LoadedPlan, int]]:
        """Pairs of a plan and its number of images. Without images, one run of none."""
        while True:
            plan = next((plan for plan in self._plans if plan.batch >= count), self._plans[-1])
            images = min(count, plan.batch)
            yield plan, images
            count -= images
            if not count:
                return
