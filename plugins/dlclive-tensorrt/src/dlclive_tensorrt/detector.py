"""The detector of a top-down engine: its ONNX file, run by ONNX Runtime.

How many boxes a detector finds is known only when it has found them, which is what neither fixed memory nor a CUDA graph can
take. It is asked every few frames, by itself; the network, which is asked for each animal of each frame, is the engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DependencyError, Detector, ModelCard, ModelError, ModelNotFoundError
from dlclive_core.runtimes import DETECTOR_OUTPUTS, IMAGE_INPUT, sha256
from dlclive_tensorrt.cuda import Gpu

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def onnx_detector_beside(path: Path) -> Path:
    """The file of the detector that belongs to an engine: `model.engine` -> `model.detector.onnx`."""
    return path.with_name(f"{path.stem}.detector.onnx")


def find_detector(path: Path, card: ModelCard, given: Path | None) -> Path | None:
    """The file with the detector of the engine in `path`; None if its model has none.

    Raises:
        ModelNotFoundError: the file is not there.
        ModelError: it is the detector of another network.
    """
    if given is not None:
        if not Path(given).is_file():
            raise ModelNotFoundError(f"no such file: {given}, which was given as the detector of {path.name}")
        return Path(given)
    if not card.detector_sha256:
        return None
    beside = onnx_detector_beside(path)
    if not beside.is_file():
        raise ModelNotFoundError(
            f"{path.name} was exported with a detector, and {beside.name} is not beside it: copy it there"
        )
    if sha256(beside) != card.detector_sha256:
        raise ModelError(
            f"{beside.name} is not the detector that {path.name} was exported with: copy both of one export"
        )
    return beside


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
        if [item.name for item in session.get_outputs()] != list(DETECTOR_OUTPUTS):
            raise ModelError(f"{path.name} does not give boxes and scores: it is not a detector that dlclive exported")
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
