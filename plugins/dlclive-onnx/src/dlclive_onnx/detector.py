"""The detector that belongs to a top-down network: a file of its own, beside the network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import Detector, ModelCard, ModelError, ModelNotFoundError
from dlclive_core.locate import detector_beside
from dlclive_core.system import sha256

_OUTPUTS = ["boxes", "scores"]


def find_detector(path: Path, card: ModelCard, given: Path | None) -> Path | None:
    """The file with the detector of the network in `path`; None if it was exported without one.

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
    beside = detector_beside(path)
    if not beside.is_file():
        raise ModelNotFoundError(
            f"{path.name} was exported with a detector, and {beside.name} is not beside it: copy it to {beside.parent}, "
            "name it with detector=, or give boxes with each image"
        )
    if sha256(beside) != card.detector_sha256:
        raise ModelError(
            f"{beside.name} is not the detector that {path.name} was exported with: copy both files of one export"
        )
    return beside


class OnnxDetector(Detector):
    """A detector that `dlclive export` wrote: `image` (1, H, W, 3) uint8 RGB in, `boxes` (M, 4) and `scores` (M,) out."""

    def __init__(self, session: ort.InferenceSession, path: Path) -> None:
        inputs, outputs = session.get_inputs(), [item.name for item in session.get_outputs()]
        if [item.name for item in inputs] != ["image"] or outputs != _OUTPUTS:
            raise ModelError(
                f"{path.name} gives {', '.join(outputs)}, not boxes and scores: it is no detector that dlclive exported"
            )
        self._session: ort.InferenceSession | None = session

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Detector.detect."""
        if self._session is None:
            raise ModelError("the detector is closed")
        boxes, scores = self._session.run(_OUTPUTS, {"image": np.ascontiguousarray(image)[None]})
        return np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None
