"""The rendered mouse in front of a camera: a live source for everybody, without a camera."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.frame import Frame
from dlclive_core.demo.source import MouseSource


class LiveMouse(MouseSource):
    """Renders a mouse at a camera's pace until it is closed: the mouse walks its path to the end and back, and again.

    Frames that were due between reads, or while another was rendered, are passed over and counted in `skipped`.

    Args:
        seed: chooses the mouse, the arena, the light, the things in the way, and the path.
        fps: frames per second; rendering takes some milliseconds, so that there is an end to it.
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
        """Paint the arena, and render once: the first picture takes longer. The camera starts with the first `read`."""
        super().open()
        self.skipped = 0
        self._began = None
        self.render(0)

    def read(self, timeout: float) -> Frame:
        """The frame that is due next; TimeoutError if that is later than in `timeout` seconds."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
        newest = int((now - self._began) / self._period)
        if newest > self._next:  # what was due meanwhile is gone, except for the newest
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
        return super().render(self._place(index))

    def truth(self, index: int) -> NDArray[np.float32]:
        """(K, 3) of a frame: x, y in pixels, and 1 where it can be seen, 0 where it is hidden."""
        return super().truth(self._place(index))

    def _place(self, index: int) -> int:
        """On the path, to and fro: 0, 1, 2, 3, 2, 1, 0, ..."""
        turn = max(1, 2 * (self._path - 1))
        place = index % turn
        return min(place, turn - place) if self._path > 1 else 0
