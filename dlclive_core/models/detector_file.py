"""The detector that belongs to an exported top-down network: a file of its own, beside the network's."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.locate import detector_beside
from dlclive_core.errors import ModelError, ModelNotFoundError
from dlclive_core.machine.system import sha256


def find_detector(path: Path, card: ModelCard, given: Path | None, *, suffix: str | None = None) -> Path | None:
    """The file with the detector of the network in `path`; None if it was exported without one.

    Args:
        path: the network's file.
        card: its card, which holds the hash of the detector's file.
        given: a file that the user named in its place.
        suffix: of the detector's file; None: that of `path`.

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
    beside = detector_beside(path, suffix)
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
