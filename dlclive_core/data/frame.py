"""One image and when it was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import FrameError


@dataclass(frozen=True, slots=True)
class Frame:
    """One image, its number, and its time.

    Attributes:
        image: (H, W, 3) uint8 in RGB order, or (H, W) uint8 grey. Nobody writes into it: a session makes it read-only.
        index: its number in the source, from 0. A gap means frames that the source lost.
        captured_at: `time.perf_counter()` when the host had it, in seconds; in a session, when it would have come without
            waiting on its way, as far as `device_time` shows. The one clock of a session: a frame stamped in the future, by
            another clock, is of unknown age, and no output acts on it.
        device_time: the camera's own clock, or the time in a video file, in seconds; None where there is none.
        source: the name of the source, for reports.
    """

    image: NDArray[np.uint8]
    index: int
    captured_at: float
    device_time: float | None = None
    source: str = ""


def check_image(image: object) -> NDArray[np.uint8]:
    """Return the image if a model can take it: (H, W, 3) uint8 RGB or (H, W) uint8; else raise FrameError.

    Costs under a microsecond for a good image, so every model calls it on every frame.
    """
    if not isinstance(image, np.ndarray):
        raise FrameError(f"a frame is a numpy array of uint8, not {type(image).__name__}")
    if image.dtype != np.uint8:
        nan = image.dtype.kind == "f" and bool(np.isnan(image).any())
        holds = " and holds NaN" if nan else ""
        raise FrameError(f"frame is {image.dtype}{holds}; give uint8 values from 0 to 255 in RGB order")
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise FrameError(
            f"frame has shape {image.shape}; give (height, width, 3) in RGB order, or (height, width) grey"
        )
    if 0 in image.shape:
        raise FrameError(f"frame has shape {image.shape}: it is empty")
    return image


def read_only(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A view of the image that cannot be written into; whoever made the image still can."""
    view = image.view()
    view.flags.writeable = False
    return view


def as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 3): a grey image repeated in the three channels (a copy), an RGB image as it is."""
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image
