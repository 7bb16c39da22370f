"""What training pictures are drawn from: the teacher's frames, and where their animals are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlclive_distill.animal import LEAST, animal_centres
from dlclive_distill.footage import Labelled
from dlclive_distill.matching import reach_of
from dlclive_distill.training.placement import mirrored_order
from dlclive_distill.training.targets import guesses_on

_CLOSE = 1.2  # lengths of an animal between the middles of two: closer, they may be taken for one


@dataclass(frozen=True, slots=True)
class Footing:
    """What is drawn from: the teacher's frames with the animals' centres.

    Attributes:
        parts: what the teacher has labelled, first whole frames; the indices count through all of them.
        stride: pixels per cell of the teacher's heatmaps.
        grid: of the teacher, see `Labeller`: cuts begin at its multiples, and are neither turned nor mirrored. None: anywhere.
        indices: of the frames that are trained on; others are kept back.
        keypoints: (N, A, K, 3) of the teacher, of A animals.
        centres: (N, A, 2) px of the animals, NaN where the teacher finds none.
        rooms: (N, A) px from each animal to the nearest other one in its frame; infinite if it is alone.
        close: px between the middles of animals that are close together.
        mirror: the order of the keypoints in a mirror.
        mirrored: whether frames are mirrored.
    """

    parts: tuple[Labelled, ...]
    stride: float
    grid: int | None
    indices: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    centres: NDArray[np.float64]
    rooms: NDArray[np.float64]
    close: float
    mirror: tuple[int, ...]
    mirrored: bool

    @classmethod
    def of(
        cls,
        parts: tuple[Labelled, ...],
        stride: float,
        grid: int | None,
        indices: NDArray[np.int64],
        names: tuple[str, ...],
        *,
        mirrored: bool,
    ) -> Footing:
        keypoints = np.concatenate([part.keypoints for part in parts])
        centres = animal_centres(keypoints)
        return cls(
            parts=parts,
            stride=stride,
            grid=grid,
            indices=indices,
            keypoints=keypoints,
            centres=centres,
            rooms=_rooms(centres),
            close=_CLOSE * 2 * reach_of(keypoints, LEAST),
            mirror=mirrored_order(names),
            mirrored=mirrored,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames."""
        _, height, width, _ = self.parts[0].frames.shape
        return height, width

    @property
    def animals(self) -> int:
        """A."""
        return self.keypoints.shape[1]

    @property
    def whole(self) -> NDArray[np.int64]:
        """Those of the indices that are of whole frames."""
        return self.indices[self.indices < sum(len(part) for part in whole_parts(self.parts))]

    def frame(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3): a frame, or the part of it that is kept."""
        part, row = self._find(index)
        return part.frames[row]

    def corner(self, index: int) -> NDArray[np.int64]:
        """(2,) x, y of the first pixel of what `frame` returns, in the frame."""
        part, row = self._find(index)
        return np.zeros(2, np.int64) if part.corners is None else part.corners[row]

    def guesses(self, index: int, points: NDArray[np.float64]) -> Tensor | None:
        """(K, h, w) the teacher's heatmaps at points (h, w, 2) of the frame in pixels; None if it tells none."""
        part, row = self._find(index)
        if not part.has_heatmaps:
            return None
        maps = torch.from_numpy(part.heatmaps[row][None].astype(np.float32))
        return guesses_on(maps, (points - self.corner(index))[None], self.stride)[0]

    def _find(self, index: int) -> tuple[Labelled, int]:
        for part in self.parts:
            if index < len(part):
                return part, index
            index -= len(part)
        raise IndexError(index)


def whole_parts(parts: tuple[Labelled, ...]) -> tuple[Labelled, ...]:
    """Those of the parts that hold whole frames."""
    return tuple(part for part in parts if part.corners is None)


def _rooms(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, A) the distance from each centre (N, A, 2) to the nearest other one; infinite where there is none."""
    apart = np.linalg.norm(centres[:, :, None] - centres[:, None], axis=-1)
    apart[:, np.arange(apart.shape[1]), np.arange(apart.shape[1])] = np.inf
    return np.where(np.isfinite(apart), apart, np.inf).min(axis=2)
