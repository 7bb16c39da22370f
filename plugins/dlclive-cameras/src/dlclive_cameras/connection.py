"""An open camera, independent of its driver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class CameraLost(Exception):  # noqa: N818 - not an error yet: the camera may come back
    """The camera no longer responds. The message says how that was noticed, in one line."""


@dataclass(frozen=True, slots=True)
class GrabResult:
    """The outcome of one `Connection.grab`.

    Attributes:
        image: (H, W, 3) RGB or (H, W) grey, not shared with the driver; None if only incomplete buffers came.
        captured_at: `time.perf_counter()` when the host received it.
        device_time: seconds on the camera's clock, None without a clock.
        frame_id: the camera's own frame number, None without one.
        skipped: frames that the driver discarded for newer ones since the last grab.
        corrupt: incomplete buffers since the last grab.
    """

    image: NDArray[np.uint8] | None
    captured_at: float
    device_time: float | None = None
    frame_id: int | None = None
    skipped: int = 0
    corrupt: int = 0


class Connection(ABC):
    """An open, acquiring camera. Used by one thread at a time, except `close`.

    Attributes:
        frame_size: (width, height) in pixels, None until the first frame.
        fps: frames per second as declared by the camera; None if unknown or triggered.
        identity: what tells this camera from another one that may answer in its place; empty if nothing does.
        notices: what is not as it was asked for or declared, one line each.
    """

    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    identity: str = ""
    notices: tuple[str, ...] = ()

    @abstractmethod
    def grab(self, timeout: float) -> GrabResult:
        """Return the newest frame.

        Raises:
            TimeoutError: no frame came within `timeout` seconds.
            CameraLost: the camera no longer responds.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the camera. Never raises, even if the camera is gone. Safe to call twice."""
