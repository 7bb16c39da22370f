"""Training pictures, cut and lit at random from the teacher's frames, with their targets."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlclive_distill.footage import Labelled
from dlclive_distill.training.footing import Footing, whole_parts
from dlclive_distill.training.light import TRAINING, LightRange, vary
from dlclive_distill.training.networks import COARSE_CELL, COARSE_STEP
from dlclive_distill.training.placement import Placement
from dlclive_distill.training.placing import place_around, place_whole
from dlclive_distill.training.targets import FineTargets, cell_centres, coarse_targets, fine_targets

_NOTHING = 0.15
"""A frame in which the teacher is less confident of every keypoint holds no animal; from there on, it may."""

_BESIDE = 0.3  # of the window: an animal that is farther from its middle is not the one that is asked for
_TOGETHER = 0.5  # share of pictures with animals close together, which are rare in most videos, and what is hard


def fine_batch(
    footing: Footing,
    count: int,
    side: tuple[int, int],
    cell: int,
    random: np.random.Generator,
    *,
    follows: bool,
    light: LightRange = TRAINING,
) -> tuple[Tensor, FineTargets]:
    """Pictures (B, h, w, 3) uint8 for the fine network and their targets.

    Args:
        side: (width, height) of the cuts in pixels.
        cell: pixels per cell of the maps.
        follows: cut around the animal; otherwise around the middle of the frame, of whole frames.
    """
    if follows:
        usable = _animals(footing)
        drawn = usable[_draw(footing.rooms[usable[:, 0], usable[:, 1]] < footing.close, count, random)]
        chosen = drawn[:, 0]
        placed = [place_around(footing, index, animal, side, random) for index, animal in drawn]
    else:
        chosen = random.choice(footing.whole, count)
        placed = [place_whole(footing, side, random) for _ in chosen]
    pictures = np.stack(
        [
            place.cut(footing.frame(index), side, footing.corner(index))
            for index, place in zip(chosen, placed, strict=True)
        ]
    )
    shape = (side[1] // cell, side[0] // cell)
    points = cell_centres(*shape) * cell
    maps = [footing.guesses(index, place.to_frame(points)) for index, place in zip(chosen, placed, strict=True)]
    known = [each for each in maps if each is not None]
    guesses = torch.stack(known) if known else None
    keypoints = np.stack([_answer(footing, index, place, side) for index, place in zip(chosen, placed, strict=True)])
    for row, place in enumerate(placed):
        keypoints[row, :, :2] = place.to_cut(keypoints[row, :, :2]) / cell
        if place.mirrored:
            keypoints[row] = keypoints[row, list(footing.mirror)]
            if guesses is not None:
                guesses[row] = guesses[row, list(footing.mirror)]
    return torch.from_numpy(vary(pictures, random, light)), fine_targets(keypoints, shape, guesses)


def coarse_batch(
    footing: Footing,
    thumbnails: NDArray[np.uint8],
    count: int,
    random: np.random.Generator,
    light: LightRange = TRAINING,
) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (B, h, w, 3) uint8 for the coarse network, probabilities (B, h', w'), and the weights of the pictures (B,).

    Args:
        thumbnails: (N, h, w, 3), every `COARSE_STEP`-th pixel of the whole frames.
    """
    whole = footing.whole
    rooms: NDArray[np.float64] = footing.rooms[whole].min(axis=1)
    chosen = whole[_draw(rooms < footing.close, count, random)]
    height, width = thumbnails.shape[1:3]
    size = np.array([width, height]) * COARSE_STEP
    pictures, centres = [], footing.centres[chosen].copy()
    for row, index in enumerate(chosen):
        picture = thumbnails[index]
        for axis in (0, 1):  # a mirrored arena is an arena
            if random.random() < 0.5:
                picture = np.flip(picture, 1 - axis)
                centres[row, :, axis] = size[axis] - centres[row, :, axis]
        shift = random.integers(-8, 9, 2) * COARSE_CELL
        moved = centres[row] + shift
        there = moved[np.isfinite(moved[:, 0])]
        if random.random() < 0.5 and len(there) and ((there > 0.03 * size) & (there < 0.97 * size)).all():
            matrix = np.array([[1, 0, shift[0] / COARSE_STEP], [0, 1, shift[1] / COARSE_STEP]], np.float32)
            picture = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
            centres[row] = moved
        pictures.append(picture)
    confidence = np.nan_to_num(footing.keypoints[chosen, ..., 2]).max(-1)
    known = (np.isfinite(centres[..., 0]) | (confidence < _NOTHING)).all(1)
    shape = (_cells(height), _cells(width)) if footing.animals == 1 else ((height + 1) // 2, (width + 1) // 2)
    lit = vary(np.ascontiguousarray(np.stack(pictures)), random, light)
    return torch.from_numpy(lit), coarse_targets(centres, shape), torch.from_numpy(known.astype(np.float32))


def thumbnails_of(parts: tuple[Labelled, ...]) -> NDArray[np.uint8]:
    """Every `COARSE_STEP`-th pixel of all whole frames, (N, h, w, 3), in memory."""
    frames = (frame for part in whole_parts(parts) for frame in part.frames)
    return np.stack([np.ascontiguousarray(frame[::COARSE_STEP, ::COARSE_STEP]) for frame in frames])


def _cells(pixels: int) -> int:
    """Cells of the coarse map for pixels of a thumbnail: two convolutions of stride 2, rounded up."""
    return ((pixels + 1) // 2 + 1) // 2


def _animals(footing: Footing) -> NDArray[np.int64]:
    """(n, 2) the index of the frame, and the row there, of every animal that is trained on."""
    rows, animals = np.nonzero(np.isfinite(footing.centres[footing.indices, :, 0]))
    return np.stack([footing.indices[rows], animals], axis=1)


def _draw(close: NDArray[np.bool_], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """`count` places, of which at least `_TOGETHER` are those with animals close together, if there are any."""
    share = close.mean() if len(close) else 0.0
    if share in (0, 1) or share >= _TOGETHER:
        return random.choice(len(close), count)
    weights = np.where(close, _TOGETHER / share, (1 - _TOGETHER) / (1 - share))
    return random.choice(len(close), count, p=weights / len(close))


def _answer(footing: Footing, index: int, place: Placement, side: tuple[int, int]) -> NDArray[np.float32]:
    """(K, 3) what the fine network is to find in a cut: the animal nearest to its middle, in pixels of the frame.

    Where there are several animals and none is near the middle, it is to find nothing: the animal at the edge has a window of
    its own.
    """
    if footing.animals == 1:
        return footing.keypoints[index, 0].copy()
    away = np.linalg.norm(place.to_cut(footing.centres[index]) - np.array(side) / 2, axis=1)
    away = np.where(np.isfinite(away), away, np.inf)
    nearest = int(np.argmin(away))
    keypoints = footing.keypoints[index, nearest].copy()
    if away[nearest] > _BESIDE * min(side):
        keypoints[:] = np.nan, np.nan, 0
    return keypoints
