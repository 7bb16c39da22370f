"""The frames of the comparison: from the open field if available, otherwise rendered. Needs dlclive, not DeepLabCut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.demo.source import MouseSource
from tools.parity import scenes


def take(shared: Path) -> tuple[NDArray[np.uint8], str]:
    """The frames, (3, 480, 640, 3) uint8 RGB, and a name for them."""
    folder = shared / "openfield" / "frames"
    if folder.is_dir():
        from dlclive_io import ImageFolder

        source, name = ImageFolder(folder), "the open field"
    else:
        source, name = MouseSource(seed=1, frames=scenes.FRAMES, size=scenes.WHOLE[::-1]), "rendered mice"
    with source:
        source.open()
        return np.stack([source.read(5.0).image for _ in range(scenes.FRAMES)]), name
