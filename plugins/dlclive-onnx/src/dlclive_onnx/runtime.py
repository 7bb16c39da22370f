"""A network that ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError, Network, Setting, UsageError
from dlclive_core.runtimes import CONFIG_NAME, find_detector
from dlclive_onnx import providers
from dlclive_onnx.binding import BoundRuns
from dlclive_onnx.byte_products import products_overflow
from dlclive_onnx.detector import OnnxDetector
from dlclive_onnx.graphs import WholeGraph, recognise_graph
from dlclive_onnx.metadata import read_card
from dlclive_onnx.operations import count_operations
from dlclive_onnx.options import CpuOptions, CudaOptions, Search, Spinning

DISABLED = ["QDQPropagationTransformer", "WeightBiasQuantization"]
"""Steps of ONNX Runtime's optimiser that are disabled. They move the borders between int8 and float, which the exporter placed
where the file is fast and exact: before a pooling that is slower in int8, for example, or around a depthwise convolution."""

PIXELS_AT_ONCE = 4 * 256 * 256
"""Pixels of a batch that run together on a CPU. Large images displace each other from its caches: eight of 640 x 480 at once
take 15 % longer than one by one, four of 256 x 256 take 8 % less."""


class OnnxNetwork(Network):
    """An `.onnx` file as a Network.

    Args:
        path: a file that `dlclive export` wrote, or a bare heatmap network with its `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda" or "cuda:<number>".
        precision: "auto", or the precision of the file, which is fixed by the export.
        threads: of one inference on the CPU; None: the number of physical cores that the process may use.
        spinning: when idle threads spin: "never", "frame" or "always"; see `CpuOptions`.
        allow_fallback: run on the CPU if CUDA does not start, instead of raising.
        detector: of a top-down network, the `.onnx` file of its detector; None: the one that was exported with it.
        cuda_nhwc, cuda_graph, cuda_tf32, cuda_search, cuda_stream: on CUDA; see `CudaOptions`.
    """

    runtime = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        spinning: Spinning = "never",
        allow_fallback: bool = False,
        detector: Path | None = None,
        cuda_nhwc: bool = True,
        cuda_graph: bool = False,
        cuda_tf32: bool = False,
        cuda_search: Search = "exhaustive",
        cuda_stream: int | None = None,
    ) -> None:
        cuda = CudaOptions(nhwc=cuda_nhwc, graph=cuda_graph, tf32=cuda_tf32, search=cuda_search, stream=cuda_stream)
        self._providers = providers.choose(device, cuda)
        self._cpu = CpuOptions(threads=threads, spinning=spinning)
        self._path, self._detector_path = Path(path), detector
        self._session: ort.InferenceSession | None = open_session(self._path, self._providers, self._cpu)
        self.device = providers.verify(self._session, self._providers, allow_fallback=allow_fallback)
        on_cpu = self.device.startswith("cpu")
        self._graph = recognise_graph(self._session, self._path, PIXELS_AT_ONCE if on_cpu else None)
        if cuda_graph and self.device.startswith("cuda"):
            self._graph.bind(BoundRuns(self._session, "cuda", providers.device_id(self._providers) or 0))
        self.card = self._graph.card
        if precision.lower() not in ("auto", self.card.precision):
            raise UsageError(
                f"{self._path.name} is in {self.card.precision}, not {precision}; export it again with --precision {precision}"
            )

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        """See Network.settings: the precision of the file, on the CPU, and on CUDA if this build supports it."""
        card = read_card(Path(path))
        if card is None and not Path(path).with_name(CONFIG_NAME).is_file():
            return ()
        devices = ("cpu", "cuda:0") if providers.has_cuda() else ("cpu",)
        return [Setting(device, "fp32" if card is None else card.precision) for device in devices]

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        if self._session is None:
            raise ModelError("the model is closed")
        return self._graph.run(images, conditions)

    def raw_call(self, images: NDArray[np.uint8]) -> Callable[[], object]:
        """See Network.raw_call: the session's own call, if it can take the images directly."""
        session, graph = self._session, self._graph
        if (
            session is None
            or not isinstance(graph, WholeGraph)
            or graph.batch not in (None, len(images))
            or graph.at_once(images) < len(images)
            or graph.is_bound
        ):
            return super().raw_call(images)
        return partial(session.run, None, {session.get_inputs()[0].name: images})

    def operations(self, images: NDArray[np.uint8]) -> float:
        """See Network.operations; NaN for conditional networks, and without `onnx`."""
        if self._session is None or not isinstance(self._graph, WholeGraph) or len(self._session.get_inputs()) != 1:
            return float("nan")
        return count_operations(self._path, {self._session.get_inputs()[0].name: images})

    def detector(self) -> Detector | None:
        """See Network.detector."""
        file = find_detector(self._path, self.card, self._detector_path)
        return (
            None if file is None else OnnxDetector(open_session(file, _without_graph(self._providers), self._cpu), file)
        )

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None


def open_session(path: Path, requested: list[providers.Provider], cpu: CpuOptions) -> ort.InferenceSession:
    """Load a file for these providers. Raises ModelError if ONNX Runtime cannot load it."""
    options = cpu.session_options()
    if providers.device_id(requested) is not None:
        options.add_session_config_entry(providers.RECORDING, "1")
    card = read_card(path)
    if card is not None and card.precision == "int8" and products_overflow():
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=requested, disabled_optimizers=DISABLED)
    except Exception as error:  # ONNX Runtime raises classes of its own that it does not export
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not an ONNX model that ONNX Runtime can load: {reason}") from None


def _without_graph(requested: list[providers.Provider]) -> list[providers.Provider]:
    """For detectors, whose number of boxes varies from image to image, which a CUDA graph cannot replay."""
    return [item if isinstance(item, str) else (item[0], {**item[1], "enable_cuda_graph": "0"}) for item in requested]
