"""The detector of a top-down network, on OpenVINO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError
from dlclive_core.runtimes import DETECTOR_OUTPUTS, check_detector
from dlclive_openvino.compiled import Compiled


class OpenVinoDetector(Detector):
    """A detector that `dlclive export` wrote: `image` (1, H, W, 3) uint8 RGB in, `boxes` (M, 4) and `scores` (M,) out."""

    def __init__(self, compiled: Compiled, path: Path) -> None:
        check_detector(compiled.inputs, compiled.outputs, path.name)
        self._compiled: Compiled | None = compiled

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        if self._compiled is None:
            raise ModelError("the detector is closed")
        outputs = self._compiled.run(np.ascontiguousarray(image)[None])
        boxes, scores = (outputs[name] for name in DETECTOR_OUTPUTS)
        return np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float32)

    def close(self) -> None:
        """Free the network's memory."""
        self._compiled = None
