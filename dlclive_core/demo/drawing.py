"""Anti-aliased shapes on float images, drawn from signed distances; only pixels in a shape's bounding box are changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Array = NDArray[np.float32]
Distance = Callable[[Array, Array], Array]
"""Maps x (1, w) and y (h, 1) of pixel centres to (h, w) signed distances in pixels, negative inside."""


def beads(points: NDArray[np.float64], radii: NDArray[np.float64]) -> Distance:
    """The union of discs; overlapping discs form a body."""

    def distance(x: Array, y: Array) -> Array:
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
        for (px, py), radius in zip(points, radii, strict=True):
            np.minimum(nearest, np.hypot(x - np.float32(px), y - np.float32(py)) - np.float32(radius), out=nearest)
        return nearest

    return distance


def line(points: NDArray[np.float64], begin: float, end: float) -> Distance:
    """A polyline whose half width changes linearly from `begin` to `end`."""
    widths = np.linspace(begin, end, len(points))

    def distance(x: Array, y: Array) -> Array:
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
        for (ax, ay), (bx, by), width in zip(points, points[1:], widths, strict=False):
            dx, dy = np.float32(bx - ax), np.float32(by - ay)
            along = ((x - np.float32(ax)) * dx + (y - np.float32(ay)) * dy) / max(dx * dx + dy * dy, np.float32(1e-6))
            along = np.clip(along, 0, 1)
            away = np.hypot(x - np.float32(ax) - along * dx, y - np.float32(ay) - along * dy)
            np.minimum(nearest, away - np.float32(width), out=nearest)
        return nearest

    return distance


def rectangle(centre: tuple[float, float], half: tuple[float, float], angle: float) -> Distance:
    """A rotated rectangle."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))

    def distance(x: Array, y: Array) -> Array:
        dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
        across = np.abs(dx * cos + dy * sin) - np.float32(half[0])
        down = np.abs(dy * cos - dx * sin) - np.float32(half[1])
        outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
        return (outside + np.minimum(np.maximum(across, down), 0)).astype(np.float32)

    return distance


Box = tuple[slice, slice, Array, Array]


def box(image: NDArray[np.generic], points: NDArray[np.float64], margin: float) -> Box | None:
    """The part of an image around points: its rows and columns, and its pixel centres' x (1, w) and y (h, 1)."""
    height, width = image.shape[:2]
    left, top = np.floor(points.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + margin).astype(int)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return None
    x = (np.arange(left, right, dtype=np.float32) + np.float32(0.5))[None, :]
    y = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5))[:, None]
    return slice(top, bottom), slice(left, right), x, y


def paint(
    image: Image, points: NDArray[np.float64], margin: float, shape: Distance, colour: Array, opacity: float = 1.0
) -> None:
    """Fill a shape around some points with a colour, blending half a pixel at its rim."""
    part = box(image, points, margin)
    if part is None:
        return
    rows, columns, x, y = part
    cover = np.clip(np.float32(0.5) - shape(x, y), 0, 1)[:, :, None] * np.float32(opacity)
    image[rows, columns] += cover * (colour - image[rows, columns])
