"""A network that ONNX Runtime runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError, Network, UsageError
from dlclive_onnx import providers
from dlclive_onnx.detector import OnnxDetector, find_detector
from dlclive_onnx.graphs import understand


class OnnxNetwork(Network):
    """An `.onnx` file as a Network.

    Args:
        path: a file that `dlclive export` wrote, or a bare heatmap network with its `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda" or "cuda:<number>".
        precision: "auto", or the precision that the file has; it cannot be changed after the export.
        threads: of one inference on the CPU; None: as many as there are cores.
        allow_fallback: go on without CUDA when it does not start, instead of raising.
        detector: of a top-down network, the `.onnx` file with its detector; None: the one that was exported with it.
    """

    runtime = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        allow_fallback: bool = False,
        detector: Path | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads is a number from 1 up; got {threads}")
        wanted = providers.choose(device)
        self._path, self._detector_path = Path(path), detector
        self._wanted, self._threads = wanted, threads
        self._session: ort.InferenceSession | None = open_session(self._path, wanted, threads)
        self.device = providers.verify(self._session, wanted, allow_fallback=allow_fallback)
        self._graph = understand(self._session, self._path)
        self.card = self._graph.card
        if precision.lower() not in ("auto", self.card.precision):
            raise UsageError(
                f"{self._path.name} is in {self.card.precision}, not {precision}; export it again with --precision {precision}"
            )

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        if self._session is None:
            raise ModelError("the model is closed")
        return self._graph.run(images, conditions)

    def detector(self) -> Detector | None:
        """See Network.detector."""
        file = find_detector(self._path, self.card, self._detector_path)
        return None if file is None else OnnxDetector(open_session(file, self._wanted, self._threads), file)

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None


def open_session(path: Path, wanted: list[providers.Provider], threads: int | None) -> ort.InferenceSession:
    """Load a file for these providers; ModelError if it is none that ONNX Runtime can load."""
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings about node placement are not for users
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=wanted)
    except Exception as error:  # ONNX Runtime raises classes of its own that it does not export
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not an ONNX model that ONNX Runtime can load: {reason}") from None
