"""The detector of a top-down engine: its ONNX file, run by ONNX Runtime.

How many boxes a detector finds is known only when it has found them, which is what neither fixed memory nor a CUDA graph can
take. It is asked every few frames, by itself; the network, which is asked for each animal of each frame, is the engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DependencyError, Detector, ModelError
from dlclive_core.runtimes import DETECTOR_OUTPUTS, IMAGE_INPUT, check_detector
from dlclive_tensorrt.cuda import Gpu

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


DETECTOR_SUFFIX = ".onnx"
"""The detector of `model.engine` is `model.detector.onnx`."""


class OnnxDetector(Detector):
    """A detector that `dlclive export` wrote, on the engine's GPU where ONNX Runtime can use it, else on the CPU.

    Args:
        path: the file.
        gpu: of the engine.

    Raises:
        DependencyError: ONNX Runtime is not installed.
        ModelError: the file is not a detector.
    """

    def __init__(self, path: Path, gpu: Gpu) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise DependencyError(
                f"{path.name} is run by ONNX Runtime, which is not installed; run: pip install dlclive-onnx"
            ) from None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        wanted: list[Any] = [_CPU]
        if _CUDA in onnxruntime.get_available_providers():
            wanted.insert(0, (_CUDA, {"device_id": str(gpu.index)}))
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
        except Exception as error:  # ONNX Runtime raises classes of its own that it does not export
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
