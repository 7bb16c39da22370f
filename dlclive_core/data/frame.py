"""One image and its timestamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import FrameError


@dataclass(frozen=True, slots=True)
class Frame:
    """One image with its number and timestamps.

    Attributes:
        image: (H, W, 3) uint8 in RGB order, or (H, W) uint8 grey. Nobody writes into it: a session makes it read-only.
        index: its number in the source, from 0. A gap means that the source lost frames.
        captured_at: `time.perf_counter()` when the host received it, in seconds; in a session, when it would have come without
            waiting on its way, as far as `device_time` shows. All times of a session use this clock: a frame stamped in the
            future, by another clock, is of unknown age, and no output acts on it.
        device_time: the camera's own clock, or the time in a video file, in seconds; None if there is none.
        source: the name of the source, for reports.
    """

    image: NDArray[np.uint8]
    index: int
    captured_at: float
    device_time: float | None = None
    source: str = ""


def check_image(image: object) -> NDArray[np.uint8]:
    """Return the image if it is (H, W, 3) uint8 RGB or (H, W) uint8 grey; otherwise raise FrameError.

    Takes less than a microsecond for a valid image, so every model calls it on every frame.
    """
    if not isinstance(image, np.ndarray):
        raise FrameError(f"a frame must be a numpy array of uint8, not {type(image).__name__}")
    if image.dtype != np.uint8:
        has_nan = image.dtype.kind == "f" and bool(np.isnan(image).any())
        suffix = " and contains NaN" if has_nan else ""
        raise FrameError(f"frame is {image.dtype}{suffix}; pass uint8 values from 0 to 255 in RGB order")
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise FrameError(
            f"frame has shape {image.shape}; pass (height, width, 3) in RGB order, or (height, width) grey"
        )
    if 0 in image.shape:
        raise FrameError(f"frame is empty: shape {image.shape}")
    return image


def read_only(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A view of the image that cannot be written into; whoever made the image still can."""
    view = image.view()
    view.flags.writeable = False
    return view


def as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 3): a copy of a grey image in three equal channels, or an RGB image unchanged."""
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image
