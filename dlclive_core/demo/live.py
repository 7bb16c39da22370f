"""The rendered mouse as a live source, to run sessions without a camera."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.frame import Frame
from dlclive_core.demo.source import MouseSource


class LiveMouse(MouseSource):
    """Renders a mouse at a camera's frame rate until it is closed. The mouse walks to the end of its path and back, repeatedly.

    Frames that became due between reads, or while another was rendered, are skipped and counted in `skipped`.

    Args:
        seed: determines the mouse, the arena, the light, the obstacles, and the path.
        fps: frames per second; rendering takes some milliseconds, which limits the rate.
        size: (width, height) in pixels, at least 160 x 120.
        path: length of the path in frames.
    """

    is_live = True

    def __init__(self, seed: int = 0, fps: float = 30.0, size: tuple[int, int] = (320, 240), path: int = 300) -> None:
        super().__init__(seed=seed, frames=path, size=size, fps=fps)
        self._path = path
        self._period = 1 / fps
        self._began: float | None = None
        self.frame_count = None

    def open(self) -> None:
        """Paint the arena, and render one frame, because the first takes longer. The clock starts with the first `read`."""
        super().open()
        self.skipped = 0
        self._began = None
        self.render(0)

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
        return Frame(image, index, time.perf_counter(), index * self._period, self.name)

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
