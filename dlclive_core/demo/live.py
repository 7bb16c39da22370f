"""The rendered mouse as a live source, to run sessions without a camera."""

from __future__ import annotations

import mmap
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.frame import Frame
from dlclive_core.demo.source import MouseSource
from dlclive_core.errors import SourceError


class LiveMouse(MouseSource):
    """Renders a mouse at a camera's frame rate until it is closed. The mouse walks to the end of its path and back, repeatedly.

    Frames that became due between reads, or while another was rendered, are skipped and counted in `skipped`.

    Args:
        seed: determines the mouse, the arena, the light, the obstacles, and the path.
        fps: frames per second; rendering takes some milliseconds, which limits the rate.
        size: (width, height) in pixels, at least 160 x 120.
        path: length of the path in frames.
        light: a file whose first byte says whether a light is on: a disc in the lower left corner of the frames that are
            captured while it is 1. Another process writes it. `device_time` is then the moment of capture.
    """

    is_live = True

    def __init__(
        self,
        seed: int = 0,
        fps: float = 30.0,
        size: tuple[int, int] = (320, 240),
        path: int = 300,
        light: Path | None = None,
    ) -> None:
        super().__init__(seed=seed, frames=path, size=size, fps=fps)
        self._path = path
        self._period = 1 / fps
        self._began: float | None = None
        self.frame_count = None
        self._light = light
        self._light_state: mmap.mmap | None = None

    def open(self) -> None:
        """Paint the arena, and render one frame, because the first takes longer. The clock starts with the first `read`."""
        super().open()
        self.skipped = 0
        self._began = None
        self.render(0)
        if self._light is not None:
            self._light_state = _mapped(self._light)

    def read(self, timeout: float) -> Frame:
        """Wait for the next frame. Raises TimeoutError if it is not due within `timeout` seconds."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
        newest = int((now - self._began) / self._period)
        if newest > self._next:  # of the overdue frames, only the newest is kept
            self.skipped += newest - self._next
            self._next = newest
        left = self._began + self._next * self._period - now
        if left > timeout:
            time.sleep(timeout)
            raise TimeoutError
        time.sleep(max(0.0, left))
        index = self._next
        self._next += 1
        image = self.render(index)
        captured_at, is_lit = time.perf_counter(), self._light_state is not None and self._light_state[0]
        if is_lit:
            draw_light(image)
        device_time = index * self._period if self._light_state is None else captured_at - self._began
        return Frame(image, index, captured_at, device_time, self.name)

    def close(self) -> None:
        """Free the arena."""
        super().close()
        if self._light_state is not None:
            self._light_state.close()
            self._light_state = None

    def render(self, index: int) -> NDArray[np.uint8]:
        """The (H, W, 3) uint8 RGB image of a frame."""
        return super().render(self._path_index(index))

    def truth(self, index: int) -> NDArray[np.float32]:
        """The true (K, 3) keypoints of a frame: x, y in pixels, and 1 if visible, 0 if hidden."""
        return super().truth(self._path_index(index))

    def _path_index(self, index: int) -> int:
        """The position on the path, back and forth: 0, 1, 2, 3, 2, 1, 0, ..."""
        period = max(1, 2 * (self._path - 1))
        phase = index % period
        return min(phase, period - phase) if self._path > 1 else 0


def draw_light(image: NDArray[np.uint8]) -> None:
    """Draw a light that is on: a disc of 13 px in the lower left corner."""
    rows, columns = np.ogrid[-6:7, -6:7]
    corner = image[-20:-7, 7:20]
    corner[rows**2 + columns**2 <= 36] = (255, 250, 235)


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 1, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise SourceError(f"the light {path} cannot be read: {error}; it is a file of at least one byte") from None
