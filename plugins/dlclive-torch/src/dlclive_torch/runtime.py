"""The PyTorch runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError, Network, Setting, UsageError
from dlclive_core.runtimes import PeakWork
from dlclive_torch.cuda_graph import CudaRuns
from dlclive_torch.device import check_dtype, describe_device, resolve_device, resolve_dtype, settings_here
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.operations import count_operations
from dlclive_torch.peak_work import peak_work
from dlclive_torch.runs import PlainRuns, as_tensor
from dlclive_torch.strict import convolutions


class TorchNetwork(Network):
    """A DeepLabCut 3 export or snapshot on PyTorch.

    "fp32" is strict: on NVIDIA GPUs convolutions do not use TF32, PyTorch's default.

    Args:
        path: the `.pt` file; a snapshot needs `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda", "cuda:1", ..., "mps".
        precision: "auto" or "fp32", or "fp16" or "bf16": weights and arithmetic of the network in half precision,
            normalisation and decoding in float32. Faster if the hardware supports it (see `settings`), otherwise slower.
        threads: number of PyTorch's CPU threads, for all models of the process; None for PyTorch's current setting.
        detector: file with the detector of a top-down network: an export, or a detector's snapshot; None for the detector
            in `path`, or the best `snapshot-detector-*.pt` beside it.
        cuda_graph: on NVIDIA GPUs, capture the network as a CUDA graph when an image shape is used again, and replay it.
            Each shape takes a few tenths of a second and the same memory again; eight shapes are kept.

    Raises:
        UsageError: the device, precision or number of threads is invalid.
        ModelError, UnsafeFileError, UnsupportedModelError: the file cannot be loaded.
    """

    runtime = "torch"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "fp32",
        threads: int | None = None,
        detector: Path | None = None,
        cuda_graph: bool = True,
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}")
        torch_device, dtype = resolve_device(device), resolve_dtype(precision)
        check_dtype(torch_device, dtype)
        detector = None if detector is None else Path(detector)
        loaded = load_deeplabcut(Path(path), dtype=dtype, detector=detector)
        if threads is not None:
            torch.set_num_threads(threads)
        self.card = loaded.card
        self._loaded, self._detector_path = loaded, detector
        self.device = describe_device(torch_device)
        self._device = torch_device
        graph = loaded.graph.to(torch_device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._runs: CudaRuns | PlainRuns | None = (
            CudaRuns(graph, torch_device, graphs=cuda_graph, strict=dtype == torch.float32)
            if torch_device.type == "cuda"
            else PlainRuns(graph, torch_device)
        )

    @classmethod
    def peak_work(cls, device: str) -> Sequence[PeakWork]:
        """See Network.peak_work."""
        return peak_work(device)

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        """See Network.settings: the hardware's settings; every `.pt` file supports all of them."""
        return settings_here() if Path(path).suffix.lower() == ".pt" else ()

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run.

        Raises:
            ModelError: the device has too little memory for the batch, or the network is closed.
        """
        if self._runs is None:
            raise ModelError("the model is closed")
        try:
            return self._runs.run([array for array in (images, conditions) if array is not None])
        except torch.OutOfMemoryError:
            count, height, width, _ = images.shape
            raise ModelError(
                f"{self.device} has too little memory for {count} images of {width} x {height} in {self.card.precision}: "
                "use smaller images, fewer at once, or precision fp16"
            ) from None

    def raw_call(self, images: NDArray[np.uint8]) -> Callable[[], object]:
        """See Network.raw_call: the module alone on the CPU; elsewhere `run`, which includes copies and synchronisation."""
        module = self._loaded.graph
        if not isinstance(self._runs, PlainRuns) or self._device.type != "cpu":
            return super().raw_call(images)

        def forward() -> object:
            with torch.inference_mode():
                return module(as_tensor(images))

        return forward

    def operations(self, images: NDArray[np.uint8]) -> float:
        """See Network.operations."""
        if self.card.method == "conditional":
            return float("nan")
        return count_operations(self._loaded.graph, [as_tensor(images).to(self._device)])

    def close(self) -> None:
        """Free the memory of captured graphs."""
        if isinstance(self._runs, CudaRuns):
            self._runs.close()
        self._runs = None

    def detector(self) -> Detector | None:
        """See Network.detector."""
        graph = self._loaded.detector(self._detector_path)
        return None if graph is None else TorchDetector(graph, self._device)


class TorchDetector(Detector):
    """A DeepLabCut detector on PyTorch, in float32. On Apple GPUs it runs on the CPU, which torchvision supports."""

    def __init__(self, graph: torch.nn.Module, place: torch.device) -> None:
        self._device = torch.device("cpu") if place.type == "mps" else place
        self._graph = graph.to(self._device)

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        with torch.inference_mode(), convolutions(strict=True):
            detections = self._graph(as_tensor(image)[None].to(self._device))
            return torch.cat((detections["boxes"], detections["scores"][:, None]), dim=1).cpu().numpy()
