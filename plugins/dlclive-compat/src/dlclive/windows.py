"""The window of `DLCLive(display=True)`."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger(__name__)


def make_display(display: Any, pcutoff: float, radius: int, cmap: str) -> Any:
    """A `Display`, for True; one that is passed, as it is; else None. Raises ImportError without Tk."""
    if not display:
        return None
    if hasattr(display, "display_frame"):
        return display
    from dlclive.display import Display  # here, because it imports Pillow and colorcet

    return Display(pcutoff=pcutoff, radius=radius, cmap=cmap)


def show(display: Any, image: NDArray[np.uint8], pose: NDArray[np.floating[Any]]) -> bool:
    """Show an image with its pose. False: it failed, and is closed; poses must not stop because a screen was unplugged."""
    try:
        display.display_frame(image, pose)
    except Exception as error:
        _log.warning("the display failed and is closed; poses continue: %s: %s", type(error).__name__, error)
        with suppress(Exception):
            display.destroy()
        return False
    return True
