"""The PyTorch runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dlclive_core import Detector, Network
from dlclive_core.errors import UsageError
from dlclive_torch.device import check_dtype, describe_device, resolve_device, resolve_dtype
from dlclive_torch.load import load_deeplabcut


class TorchNetwork(Network):
    """A DeepLabCut 3 export or snapshot on PyTorch.

    "fp32" is strict: on NVIDIA GPUs convolutions do not use TF32, which PyTorch would by default.

    Args:
        path: the `.pt` file; a snapshot has `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda", "cuda:1", ..., "mps".
        precision: "auto" or "fp32", or "fp16": weights and arithmetic of the network in half precision, normalising and
            decoding in float32.
        threads: how many threads PyTorch uses on the CPU, for all models of the process; None leaves it as it is.
        detector: of a top-down network, the file that holds its detector: an export, or a detector's snapshot; None: the
            one in `path`, or the best `snapshot-detector-*.pt` beside it.

    Raises:
        UsageError: the device, precision or threads.
        ModelError, UnsafeFileError, UnsupportedModelError: the file.
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
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads is at least 1, not {threads}")
        place, dtype = resolve_device(device), resolve_dtype(precision)
        check_dtype(place, dtype)
        loaded = load_deeplabcut(Path(path), dtype=dtype)
        if threads is not None:
            torch.set_num_threads(threads)
        self.card = loaded.card
        self._loaded, self._detector_path = loaded, detector
        self.device = describe_device(place)
        self._place = place
        self._graph = loaded.graph.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._strict = dtype == torch.float32

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        with torch.inference_mode(), strict_fp32(self._strict and self._place.type == "cuda"):
            inputs = [
                torch.from_numpy(_readable(array)).to(self._place)
                for array in (images, conditions)
                if array is not None
            ]
            outputs = self._graph(*inputs)
            return {name: array.cpu().numpy() for name, array in outputs.items()}

    def detector(self) -> Detector | None:
        """See Network.detector."""
        graph = self._loaded.detector(None if self._detector_path is None else Path(self._detector_path))
        return None if graph is None else TorchDetector(graph, self._place)


class TorchDetector(Detector):
    """A detector of DeepLabCut's on PyTorch, in float32. On Apple GPUs it runs on the CPU, where torchvision has it."""

    def __init__(self, graph: torch.nn.Module, place: torch.device) -> None:
        self._place = torch.device("cpu") if place.type == "mps" else place
        self._graph = graph.to(self._place)

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        with torch.inference_mode(), strict_fp32(self._place.type == "cuda"):
            found = self._graph(torch.from_numpy(_readable(image))[None].to(self._place))
            return torch.cat((found["boxes"], found["scores"][:, None]), dim=1).cpu().numpy()


def _readable(images: NDArray[Any]) -> NDArray[Any]:
    """The same numbers as torch takes them: not read-only (it would warn) and without negative strides."""
    return images if images.flags.writeable and images.flags.c_contiguous else images.copy()


@contextmanager
def strict_fp32(wanted: bool) -> Iterator[None]:
    """Convolutions in true float32 inside, everything else of cuDNN as the user set it."""
    if not wanted:
        yield
        return
    now = torch.backends.cudnn
    with now.flags(enabled=now.enabled, benchmark=now.benchmark, deterministic=now.deterministic, allow_tf32=False):
        yield
