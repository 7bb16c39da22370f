"""Several rendered mice in one arena, which cross and hide each other, with the truth about their keypoints.

Used by distill_several.py and by the tests of dlclive-distill.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.demo.appearance import Appearance, arena
from dlclive_core.demo.motion import MOUSE, SPINE_POINTS, simulate
from dlclive_core.demo.mouse import draw_mouse

SKELETON = MOUSE
_LENGTH = 66.0  # px of a body for a frame height of 240; proportional to the square root of the height
_THICK = np.interp(np.linspace(0, 1, SPINE_POINTS), [0, 0.35, 0.6, 1], [0.05, 0.15, 0.12, 0.03])  # of the length


class RenderedMice:
    """Mice that look alike and walk about by themselves. The same arguments give the same frames.

    Args:
        animals: how many.
        seed: of mice, arena, light and paths.
        frames: number of frames.
        size: (width, height) in pixels.
        fps: frames per second.
        absent: share of the time that each animal is out of the arena.
        scale: size of the mice; 1 is that of the demo's.
    """

    def __init__(
        self,
        animals: int,
        *,
        seed: int = 0,
        frames: int = 300,
        size: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        absent: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        rng = np.random.default_rng(seed)
        width, height = size
        self.size, self.frames, self._seed = size, frames, seed
        self.length = scale * _LENGTH * float(np.sqrt(height / 240))
        self.look = Appearance.draw(rng)
        wall = 0.035 * min(size)
        self._motions = [simulate(rng, frames, size, self.length, wall, fps) for _ in range(animals)]
        self._there = np.array([_presence(rng, frames, fps, absent) for _ in range(animals)])
        self._arena = arena(rng, self.look, size, wall)
        self._noise = rng.normal(0, self.look.noise, 2 * width * height * 3).astype(np.float32)

    def render(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of a frame; later mice lie on earlier ones."""
        rng = np.random.default_rng((self._seed, index))
        image = self._arena.copy()
        for motion, there in zip(self._motions, self._there, strict=True):
            if there[index]:
                draw_mouse(image, self.look, motion.spine[index], motion.ears[index], motion.tail[index], self.length)
        image *= np.float32(1 + self.look.flicker * rng.normal())
        begin = int(rng.integers(self._noise.size - image.size))
        image += self._noise[begin : begin + image.size].reshape(image.shape)
        return np.clip(image, 0, 255, out=image).astype(np.uint8)

    def truth(self, index: int) -> NDArray[np.float32]:
        """(N, K, 3) x, y in pixels, and confidence: 1; 0.05 for what another mouse hides; NaN, NaN, 0 for a mouse that is away."""
        poses = np.full((len(self._motions), len(SKELETON), 3), np.nan, np.float32)
        poses[..., 2] = 0
        for number, motion in enumerate(self._motions):
            if not self._there[number, index]:
                continue
            points = motion.keypoints[index]
            hidden = np.zeros(len(points), bool)
            for above in range(number + 1, len(self._motions)):
                if self._there[above, index]:
                    apart = np.linalg.norm(points[:, None] - self._motions[above].spine[index][None], axis=-1)
                    hidden |= (apart < _THICK * self.length).any(axis=1)
            poses[number, :, :2] = points
            poses[number, :, 2] = np.where(hidden, 0.05, 1.0)
        return poses


def _presence(rng: np.random.Generator, frames: int, fps: float, absent: float) -> NDArray[np.bool_]:
    """(F,) whether an animal is there: it comes and goes every few seconds."""
    there, result = True, np.empty(frames, bool)
    leaves, comes = absent / 4 / fps, (1 - absent) / 4 / fps  # per frame
    for frame in range(frames):
        if rng.random() < (leaves if there else comes):
            there = not there
        result[frame] = there
    return result
