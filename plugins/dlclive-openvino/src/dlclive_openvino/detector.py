"""The detector of a top-down network, on OpenVINO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError
from dlclive_openvino.compiled import Compiled

OUTPUTS = ["boxes", "scores"]


class OpenVinoDetector(Detector):
    """A detector that `dlclive export` wrote: `image` (1, H, W, 3) uint8 RGB in, `boxes` (M, 4) and `scores` (M,) out."""

    def __init__(self, compiled: Compiled, path: Path) -> None:
        if compiled.inputs != ["image"] or compiled.outputs != OUTPUTS:
            raise ModelError(
                f"{path.name} gives {', '.join(compiled.outputs)}, not boxes and scores: no detector that dlclive exported"
            )
        self._compiled: Compiled | None = compiled

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        if self._compiled is None:
            raise ModelError("the detector is closed")
        found = self._compiled.run(np.ascontiguousarray(image)[None])
        return np.concatenate([found["boxes"], found["scores"][:, None]], axis=1, dtype=np.float32)

    def close(self) -> None:
        """Free the network's memory."""
        self._compiled = None
