"""Draws one mouse onto an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.demo.appearance import Appearance
from dlclive_core.demo.drawing import Image, beads, box, line, paint
from dlclive_core.demo.motion import SPINE_POINTS

# Radius of the body along the spine, in body lengths, from the base of the tail to the snout.
_RADII = np.interp(
    np.linspace(0, 1, SPINE_POINTS),
    [0.0, 0.12, 0.35, 0.6, 0.72, 0.8, 0.9, 1.0],
    [0.055, 0.125, 0.165, 0.135, 0.1, 0.105, 0.07, 0.03],
)
_EAR = 0.055


def draw_mouse(
    image: Image,
    look: Appearance,
    spine: NDArray[np.float64],
    ears: NDArray[np.float64],
    tail: NDArray[np.float64],
    length: float,
) -> None:
    """Draw the shadow, the tail, the body with its spots, and the ears, from bottom to top."""
    radii = _RADII * length
    x, y, dark = look.shadow
    if dark:
        offset = np.asarray([x, y]) * length
        paint(image, spine + offset, 0.25 * length, beads(spine + offset, radii + 1.5), np.zeros(3, np.float32), dark)
    paint(image, tail, 0.1 * length, line(tail, 0.028 * length, 0.012 * length), look.tail)
    _draw_body(image, look, spine, radii, length)
    for ear in ears:
        paint(
            image, ear[None], 0.15 * length, beads(ear[None], np.asarray([_EAR * length])), look.ear * np.float32(0.75)
        )
        paint(image, ear[None], 0.15 * length, beads(ear[None], np.asarray([0.65 * _EAR * length])), look.ear)


def _draw_body(
    image: Image, look: Appearance, spine: NDArray[np.float64], radii: NDArray[np.float64], length: float
) -> None:
    part = box(image, spine, 0.25 * length)
    if part is None:
        return
    rows, columns, x, y = part
    distance = beads(spine, radii)(x, y)
    height = np.clip(-distance / np.float32(0.16 * length), 0, 1)  # a round back: brightest along the spine
    shade = (0.72 + 0.4 * np.sqrt(height))[:, :, None]
    colour = np.broadcast_to(look.fur, (*distance.shape, 3)).astype(np.float32)
    for along, across, radius in look.spots:
        position = along * (SPINE_POINTS - 1)
        first = min(int(position), SPINE_POINTS - 2)
        forward = spine[first + 1] - spine[first]
        side = np.asarray([-forward[1], forward[0]]) / max(float(np.linalg.norm(forward)), 1e-9)
        centre = spine[first] + (position - first) * forward + across * 0.15 * length * side
        spot = np.clip(0.5 - beads(centre[None], np.asarray([radius * length]))(x, y), 0, 1)[:, :, None]
        colour = colour + spot * (look.patch - colour)
    cover = np.clip(np.float32(0.5) - distance, 0, 1)[:, :, None]
    image[rows, columns] += cover * (colour * shade - image[rows, columns])
