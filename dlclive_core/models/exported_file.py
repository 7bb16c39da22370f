"""What an exported model file promises, whatever its format: names inside the file, the size of its input, its detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.locate import detector_beside
from dlclive_core.errors import ModelError, ModelNotFoundError, UsageError
from dlclive_core.machine.system import sha256

CARD_KEY = "dlclive.card"
"""The metadata key under which an ONNX file holds its card, as JSON."""

IMAGE_INPUT = "image"
"""The input of every exported graph: (N, H, W, 3) uint8 RGB."""

CONDITIONS_INPUT = "conditions"
"""The second input of a conditional network: (N, K, 3) float32."""

DETECTOR_OUTPUTS = ("boxes", "scores")
"""The outputs of a detector, in this order: (M, 4) and (M,) float32."""


def check_detector(inputs: Sequence[str], outputs: Sequence[str], file: str) -> None:
    """Raise ModelError unless a graph has the inputs and outputs of an exported detector; `file` is for the message."""
    if tuple(inputs) != (IMAGE_INPUT,) or tuple(outputs) != DETECTOR_OUTPUTS:
        raise ModelError(
            f"{file} is not a detector that dlclive exported: it takes {', '.join(inputs) or 'nothing'} and gives "
            f"{', '.join(outputs) or 'nothing'}, not boxes and scores"
        )


def join_detections(boxes: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """The outputs of an exported detector as `Detector.detect` returns them: (M, 4) and (M,) become (M, 5)."""
    return np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float32)


def resolve_input_size(card: ModelCard, size: tuple[int, int] | None, file: str) -> tuple[int, int] | None:
    """The (height, width) of the input after an export; None where it stays free.

    Args:
        card: of the source.
        size: (height, width) that the user asked for; None: as the source has it.
        file: the source's name, for messages.

    Raises:
        UsageError: the size is not positive, or the source is fixed to another one.
    """
    if size is None:
        return card.input_size
    if min(size) < 1:
        raise UsageError(f"the size of the input is a width and a height from 1 pixel up; got {size[1]} x {size[0]}")
    if card.input_size not in (None, size):
        height, width = card.input_size
        raise UsageError(
            f"the input of {file} is fixed to {width} x {height} pixels (width x height) and cannot become "
            f"{size[1]} x {size[0]}: leave --size out"
        )
    return size


def find_detector(
    path: Path, card: ModelCard, detector: Path | None = None, *, suffix: str | None = None
) -> Path | None:
    """The file with the detector of the network in `path`; None if it was exported without one.

    Args:
        path: the network's file.
        card: its card, which holds the hash of the detector's file.
        detector: a file that the user chose instead.
        suffix: of the detector's file, where its format differs from the network's.

    Raises:
        ModelNotFoundError: the file is missing.
        ModelError: it is the detector of another network.
    """
    if detector is not None:
        if not Path(detector).is_file():
            raise ModelNotFoundError(f"no such file: {detector}, the detector to use with {path.name}")
        return Path(detector)
    if not card.detector_sha256:
        return None
    beside = detector_beside(path, suffix)
    if not beside.is_file():
        raise ModelNotFoundError(
            f"{path.name} was exported with a detector, but {beside.name} is not beside it: copy it to {beside.parent}, "
            "pass its path as detector=, or give boxes with each image"
        )
    if sha256(beside) != card.detector_sha256:
        raise ModelError(
            f"{beside.name} is not the detector that {path.name} was exported with: copy both files of the same export"
        )
    return beside
