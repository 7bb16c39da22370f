"""Obstacles that hide parts of the mouse: pillars and shelves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.demo.drawing import Distance, Image, beads, paint, rectangle

RIM = 3.0  # pixels: this close to an obstacle, too little of a body part is visible


@dataclass(frozen=True)
class Thing:
    """A shape above the mouse."""

    points: NDArray[np.float64]
    margin: float
    shape: Distance
    colour: NDArray[np.float32]

    def draw(self, image: Image) -> None:
        """Draw the shape onto an image."""
        paint(image, self.points, self.margin, self.shape, self.colour)

    def covers(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the (N, 2) points are hidden, because they are inside the shape or within `RIM` of its edge."""
        x, y = points[:, 0].astype(np.float32), points[:, 1].astype(np.float32)
        return np.asarray([self.shape(a[None, None], b[None, None])[0, 0] < RIM for a, b in zip(x, y, strict=True)])


def pillar(rng: np.random.Generator, centre: NDArray[np.float64], length: float, colour: NDArray[np.float32]) -> Thing:
    """A disc of random size; `length` is the mouse's body length in pixels."""
    radius = length * rng.uniform(0.12, 0.22)
    return Thing(centre[None], radius + 2, beads(centre[None], np.asarray([radius])), colour)


def shelf(rng: np.random.Generator, centre: NDArray[np.float64], length: float, colour: NDArray[np.float32]) -> Thing:
    """A rectangle of random size and orientation; `length` is the mouse's body length in pixels."""
    half = (length * rng.uniform(0.3, 0.6), length * rng.uniform(0.08, 0.14))
    shape = rectangle((centre[0], centre[1]), half, rng.uniform(0, np.pi))
    return Thing(centre[None], sum(half) + 2, shape, colour)


def place_things(rng: np.random.Generator, size: tuple[int, int], length: float) -> tuple[Thing, ...]:
    """Place zero to two obstacles, smaller than the mouse, at random."""
    things: list[Thing] = []
    for kind in rng.choice(["none", "none", "pillar", "shelf"], 2):
        centre = rng.uniform(0.2, 0.8, 2) * size
        colour = rng.uniform(20, 235, 3).astype(np.float32)
        if kind == "pillar":
            things.append(pillar(rng, centre, length, colour))
        elif kind == "shelf":
            things.append(shelf(rng, centre, length, colour))
    return tuple(things)
