"""The detector of a top-down network, which is a separate file beside the network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError
from dlclive_core.runtimes import DETECTOR_OUTPUTS, IMAGE_INPUT, check_detector


class OnnxDetector(Detector):
    """A detector that `dlclive export` wrote: `image` (1, H, W, 3) uint8 RGB in, `boxes` (M, 4) and `scores` (M,) out."""

    def __init__(self, session: ort.InferenceSession, path: Path) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        check_detector([item.name for item in inputs], [item.name for item in outputs], path.name)
        self._session: ort.InferenceSession | None = session

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        if self._session is None:
            raise ModelError("the detector is closed")
        boxes, scores = self._session.run(DETECTOR_OUTPUTS, {IMAGE_INPUT: np.ascontiguousarray(image)[None]})
        return np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None
