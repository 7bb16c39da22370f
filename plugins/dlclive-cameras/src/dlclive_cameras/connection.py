"""What a source needs of an opened camera, whoever made the driver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class CameraLost(Exception):  # noqa: N818 - not an error yet: the camera may come back
    """The camera does not answer any more. The message says how that was noticed, in one line."""


@dataclass(frozen=True, slots=True)
class GrabResult:
    """What one wait for a frame gave.

    Attributes:
        image: (H, W, 3) RGB or (H, W) grey, of its own memory; None when only damaged buffers came.
        captured_at: `time.perf_counter()` when the host had it.
        device_time: seconds on the camera's clock, None where it has none.
        frame_id: the camera's own number, None where it gives none.
        skipped: frames that the driver had, and threw away for newer ones, since the last shot.
        corrupt: buffers that came incomplete since the last shot.
    """

    image: NDArray[np.uint8] | None
    captured_at: float
    device_time: float | None = None
    frame_id: int | None = None
    skipped: int = 0
    corrupt: int = 0


class Connection(ABC):
    """An opened camera that takes pictures. Used by one thread at a time, except `close`.

    Attributes:
        frame_size: (width, height) in pixels, None until the first frame.
        fps: frames per second as the camera declares them; None if it does not, or waits for a trigger.
    """

    frame_size: tuple[int, int] | None = None
    fps: float | None = None

    @abstractmethod
    def grab(self, timeout: float) -> GrabResult:
        """The newest frame.

        Raises:
            TimeoutError: none came within `timeout` seconds.
            CameraLost: the camera is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the camera back. Never raises, also when the camera is gone; safe to call twice."""
