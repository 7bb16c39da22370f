"""A source that renders a mouse in an arena and knows where its keypoints are."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame
from dlclive_core.demo.appearance import Appearance, arena
from dlclive_core.demo.motion import MOUSE, Motion, simulate
from dlclive_core.demo.mouse import draw_mouse
from dlclive_core.demo.objects import place_things
from dlclive_core.errors import EndOfStream, UsageError

_LENGTH = 66.0  # body length in pixels for a frame height of 240; proportional to the square root of the height


class MouseSource(FrameSource):
    """Renders a mouse from above. The same arguments produce the same frames.

    Args:
        seed: determines the mouse, the arena, the light, the obstacles, and the path.
        frames: number of frames.
        size: (width, height) in pixels, at least 160 x 120.
        fps: frames per second of the clip; frames are rendered as fast as they are read.

    Attributes:
        skeleton: names and edges of the keypoints.
        length: length of the mouse's body, in pixels.
        things: the obstacles that hide parts of the mouse.
        look: the appearance of mouse, arena, light and camera.
    """

    def __init__(self, seed: int = 0, frames: int = 300, size: tuple[int, int] = (320, 240), fps: float = 30.0) -> None:
        width, height = size
        if width < 160 or height < 120:
            raise UsageError(f"the mouse needs at least 160 x 120 pixels; got {width} x {height}")
        if frames < 1 or seed < 0 or not fps > 0:
            raise UsageError(f"frames must be at least 1, seed at least 0, fps above 0; got {frames}, {seed}, {fps}")
        self.name = f"mouse {seed}"
        self.frame_size = (width, height)
        self.fps = fps
        self.frame_count = frames
        self.skeleton = MOUSE
        self._seed = seed
        rng = np.random.default_rng(seed)
        self.length = _LENGTH * float(np.sqrt(height / 240)) * rng.uniform(0.85, 1.15)
        self._wall = 0.035 * min(size)
        self.look = Appearance.draw(rng)
        self.things = place_things(rng, (width, height), self.length)
        self._arena_seed = int(rng.integers(2**32))
        self._motion: Motion = simulate(rng, frames, (width, height), self.length, self._wall, fps)
        self._arena: NDArray[np.float32] | None = None
        self._noise = np.empty(0, np.float32)
        self._next = 0

    def open(self) -> None:
        """Paint the empty arena, once."""
        rng = np.random.default_rng(self._arena_seed)
        width, height = self.frame_size or (0, 0)
        self._arena = arena(rng, self.look, (width, height), self._wall)
        # One noise field, read at a different offset for each frame: new noise would take longer than drawing the mouse.
        self._noise = rng.normal(0, self.look.noise, 2 * width * height * 3).astype(np.float32)
        self._next = 0

    def read(self, timeout: float) -> Frame:
        """The next frame; raises EndOfStream after the last."""
        index = self._next
        if index >= (self.frame_count or 0):
            raise EndOfStream
        image = self.render(index)
        self._next += 1
        return Frame(image, index, time.perf_counter(), index / (self.fps or 1), self.name)

    def render(self, index: int) -> NDArray[np.uint8]:
        """The (H, W, 3) uint8 RGB image of a frame."""
        if self._arena is None:
            self.open()
        assert self._arena is not None
        rng = np.random.default_rng((self._seed, index))
        image = self._arena.copy()
        motion = self._motion
        draw_mouse(image, self.look, motion.spine[index], motion.ears[index], motion.tail[index], self.length)
        for thing in self.things:
            thing.draw(image)
        image *= np.float32(1 + self.look.flicker * rng.normal())
        begin = int(rng.integers(self._noise.size - image.size))
        image += self._noise[begin : begin + image.size].reshape(image.shape)
        return np.clip(image, 0, 255, out=image).astype(np.uint8)

    def truth(self, index: int) -> NDArray[np.float32]:
        """The true (K, 3) keypoints of a frame, in the order of `skeleton`: x, y in pixels, and 1 if visible, 0 if hidden."""
        points = self._motion.keypoints[index]
        hidden = ((points < 0) | (points >= np.asarray(self.frame_size))).any(axis=1)  # a frame narrower than the mouse
        for thing in self.things:
            hidden |= thing.covers(points)
        return np.concatenate([points, (~hidden)[:, None]], axis=1).astype(np.float32)

    def close(self) -> None:
        """Free the arena."""
        self._arena = None
        self._noise = np.empty(0, np.float32)
