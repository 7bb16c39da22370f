"""The detector of a top-down engine: its ONNX file, run by ONNX Runtime.

The number of boxes is unknown until the detector has run, so fixed memory and a CUDA graph cannot hold it. The detector runs
separately, every few frames; the network, which runs for each animal of each frame, is the engine.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DependencyError, Detector, ModelError, install_command
from dlclive_core.runtimes import DETECTOR_OUTPUTS, IMAGE_INPUT, check_detector
from dlclive_tensorrt.cuda import Gpu

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


DETECTOR_SUFFIX = ".onnx"
"""The detector of `model.engine` is `model.detector.onnx`."""


class OnnxDetector(Detector):
    """A detector that `dlclive export` wrote. It runs on the engine's GPU if ONNX Runtime can use it, otherwise on the CPU.

    Args:
        path: the file.
        gpu: the engine's GPU.

    Raises:
        DependencyError: ONNX Runtime is not installed.
        ModelError: the file is not a detector.
    """

    def __init__(self, path: Path, gpu: Gpu) -> None:
        try:
            os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # its official builds report what they run
            import onnxruntime
        except ImportError:
            raise DependencyError(
                f"{path.name} needs ONNX Runtime, which is not installed; run: {install_command('dlclive-onnx')}"
            ) from None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers: list[Any] = [_CPU]
        if _CUDA in onnxruntime.get_available_providers():
            providers.insert(0, (_CUDA, {"device_id": str(gpu.index)}))
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # ONNX Runtime raises exceptions of its own, which it does not export
            raise ModelError(
                f"{path} is not a detector that ONNX Runtime can load: {' '.join(str(error).split())}"
            ) from None
        inputs, outputs = session.get_inputs(), session.get_outputs()
        check_detector([item.name for item in inputs], [item.name for item in outputs], path.name)
        self._session: Any = session

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        if self._session is None:
            raise ModelError("the detector is closed")
        boxes, scores = self._session.run(DETECTOR_OUTPUTS, {IMAGE_INPUT: np.ascontiguousarray(image)[None]})
        return np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None
