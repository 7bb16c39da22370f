"""Where a training picture is cut at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_distill.training.footing import Footing
from dlclive_distill.training.placement import Placement

_TURNED, _ANGLE, _SIZE = 0.6, np.deg2rad(30), 1.13  # share of turned cuts, largest angle and factor
_OFF_CENTRE = 0.14  # of the window: how far the coarse network may be off
_ELSEWHERE, _ELSEWHERE_OF_SEVERAL = 0.07, 0.12  # share of windows somewhere in the frame, where there may be no animal
_NEARER = 0.4  # of the distance to another animal: a window that is farther off may be the other one's


def place_around(
    footing: Footing, index: int, animal: int, side: tuple[int, int], random: np.random.Generator
) -> Placement:
    """A cut of `side` = (width, height) pixels around an animal, nearly always.

    With a grid, as the student cuts whose windows begin at its multiples, within what is kept of the frame; else turned and
    mirrored, too.
    """
    elsewhere = random.random() < (_ELSEWHERE if footing.animals == 1 else _ELSEWHERE_OF_SEVERAL)
    reach = np.array(side) * (0.9 if elsewhere else _OFF_CENTRE)
    if not elsewhere:
        reach = np.minimum(reach, _NEARER * footing.rooms[index, animal])
    centre = footing.centres[index, animal] + random.uniform(-reach, reach)
    if footing.grid is not None:
        return _on_grid(footing, index, centre, side, footing.grid)
    return _anywhere(footing, centre, side, random, inside=footing.animals == 1)


def place_whole(footing: Footing, side: tuple[int, int], random: np.random.Generator) -> Placement:
    """The whole frame but for what is beyond `side` = (width, height).

    With a grid from its first pixel on, else turned and mirrored.
    """
    if footing.grid is not None:
        return Placement.around(np.array(side) / 2, side)
    height, width = footing.size
    return _anywhere(footing, np.array([width, height]) / 2, side, random, inside=False)


def _on_grid(footing: Footing, index: int, centre: NDArray[np.float64], side: tuple[int, int], grid: int) -> Placement:
    half = np.array(side) / 2
    first, kept = footing.corner(index), np.array(footing.frame(index).shape[1::-1])
    last = first + np.maximum(0, np.ceil((kept - np.array(side)) / grid)) * grid
    corner = np.clip(np.round((centre - half) / grid) * grid, first, last)
    return Placement.around(corner + half, side)


def _anywhere(
    footing: Footing, centre: NDArray[np.float64], side: tuple[int, int], random: np.random.Generator, *, inside: bool
) -> Placement:
    """Turned and mirrored by chance. `inside`: what is not turned is moved into the frame, as the student does."""
    height, width = footing.size
    mirrored = bool(random.random() < 0.5) and footing.mirrored
    turned = random.random() < _TURNED
    angle = random.uniform(-_ANGLE, _ANGLE) if turned else 0.0
    scale = float(np.exp(random.uniform(-1, 1) * np.log(_SIZE))) if turned else 1.0
    if inside and not turned:
        centre = np.clip(centre, np.array(side) / 2, np.array([width, height]) - np.array(side) / 2)
    return Placement.around(centre, side, angle=float(angle), scale=scale, mirrored=mirrored)
