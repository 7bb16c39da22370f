"""The appearance of mouse, arena, light and camera, drawn from a random generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]

_FURS = ((32, 30, 29), (96, 70, 48), (112, 110, 108), (226, 221, 212), (150, 122, 92))
_FLOORS = (
    (206, 188, 155),
    (232, 231, 226),
    (128, 130, 132),
    (62, 66, 78),
    (164, 136, 102),
    (88, 104, 92),
    (40, 42, 44),
)
_PINK = np.asarray((214, 150, 142), np.float32)
_LEAST_CONTRAST = 60  # grey levels between fur and floor


@dataclass(frozen=True, slots=True)
class Appearance:
    """The appearance that is constant over a clip.

    Attributes:
        fur, patch, ear, tail: colours; `patch` is the colour of the spots.
        spots: (S, 3) position along the body 0..1, position across it -1..1, and radius in body lengths; empty for plain fur.
        floor, wall: colours.
        grain: contrast of the floor's texture, in grey levels; `grid`: period of its lines in pixels, 0 for none.
        light: (x, y) slope of the light over the frame; `vignette`: darkening in the corners; `flicker`: of the lamp.
        shadow: (x, y) offset of the mouse's shadow in body lengths, and its darkness.
        noise: standard deviation of the camera's noise, in grey levels.
    """

    fur: Colour
    patch: Colour
    ear: Colour
    tail: Colour
    spots: NDArray[np.float32]
    floor: Colour
    wall: Colour
    grain: float
    grid: int
    light: tuple[float, float]
    vignette: float
    flicker: float
    shadow: tuple[float, float, float]
    noise: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Appearance:
        """A random appearance."""
        fur = _tinted(rng, _FURS[rng.integers(len(_FURS))])
        floors = [colour for colour in _FLOORS if abs(np.mean(colour) - fur.mean()) > _LEAST_CONTRAST]
        floor = _tinted(rng, floors[rng.integers(len(floors))])
        spotted = rng.random() < 0.25
        patch = np.clip(fur + (90 if fur.mean() < 128 else -90), 15, 240).astype(np.float32)
        spots = (
            rng.uniform((0.25, -0.8, 0.05), (0.6, 0.8, 0.12), (int(rng.integers(3, 7)), 3))
            if spotted
            else np.empty((0, 3))
        )
        return cls(
            fur=fur,
            patch=patch,
            ear=(0.55 * fur + 0.45 * _PINK).astype(np.float32),
            tail=(0.4 * fur + 0.6 * _PINK * rng.uniform(0.6, 1)).astype(np.float32),
            spots=spots.astype(np.float32),
            floor=floor,
            wall=np.clip(floor * rng.uniform(0.45, 1.35), 10, 245).astype(np.float32),
            grain=float(rng.uniform(2, 12)),
            grid=int(rng.choice([0, 0, 0, 32, 48])),
            light=(float(rng.uniform(-0.2, 0.2)), float(rng.uniform(-0.2, 0.2))),
            vignette=float(rng.uniform(0, 0.35)),
            flicker=float(rng.uniform(0, 0.03)),
            shadow=(float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.06, 0.06)), float(rng.uniform(0, 0.45))),
            noise=float(rng.uniform(1, 7)),
        )


def _tinted(rng: np.random.Generator, colour: tuple[int, int, int]) -> Colour:
    return np.clip(np.asarray(colour) * rng.uniform(0.88, 1.1) + rng.normal(0, 4, 3), 8, 245).astype(np.float32)


def arena(rng: np.random.Generator, look: Appearance, size: tuple[int, int], wall: float) -> NDArray[np.float32]:
    """The empty arena, (H, W, 3) in 0..255, with texture, walls and light."""
    width, height = size
    picture = np.broadcast_to(look.floor, (height, width, 3)).copy()
    texture = 0.7 * _cloud(rng, size, 6) + 0.8 * _cloud(rng, size, 24) + 0.6 * _cloud(rng, size, 96)
    picture += (look.grain * texture)[:, :, None]
    if look.grid:
        picture[:: look.grid] *= 0.8
        picture[:, :: look.grid] *= 0.8
    rows, columns = np.arange(height, dtype=np.float32) + 0.5, np.arange(width, dtype=np.float32) + 0.5
    from_edge = np.minimum(np.minimum(rows, height - rows)[:, None], np.minimum(columns, width - columns)[None, :])
    on_wall = np.clip(wall - from_edge, 0, 1)[:, :, None]
    picture += on_wall * (look.wall * (0.85 + 0.3 * from_edge / wall)[:, :, None] - picture)
    u, v = columns / width * 2 - 1, (rows / height * 2 - 1)[:, None]
    light = 1 + look.light[0] * u + look.light[1] * v - look.vignette * (u**2 + v**2) / 2
    return (picture * light[:, :, None]).astype(np.float32)


def _cloud(rng: np.random.Generator, size: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth noise: a coarse random grid, linearly interpolated."""
    width, height = size
    grid = rng.normal(0, 1, (cells + 1, cells + 1)).astype(np.float32)
    x, y = np.linspace(0, cells - 1e-3, width), np.linspace(0, cells - 1e-3, height)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)[:, None]
    top = grid[y0][:, x0] * (1 - fx) + grid[y0][:, x0 + 1] * fx
    bottom = grid[y0 + 1][:, x0] * (1 - fx) + grid[y0 + 1][:, x0 + 1] * fx
    return top * (1 - fy) + bottom * fy
