"""The whole student as one graph: uint8 image in, keypoints and how unlike the training the frame is out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dlclive_distill.training.family import StudentKind
from dlclive_distill.training.guard import Guard
from dlclive_distill.training.networks import COARSE_CELL, COARSE_STEP, CoarseNetwork, FineNetwork
from dlclive_distill.training.votes import Votes, count_votes

_CENTRE_RADIUS = 2.5  # cells that vote for the animal's centre: those that its body covers


def planes(pixels: Tensor) -> Tensor:
    """Pixels (B, H, W, 3) as the networks' input (B, 3, H, W), 0..255.

    Nothing is scaled: the networks' first normalisation does it, and a multiplication of all pixels takes a fifth of the time.
    """
    return pixels.permute(0, 3, 1, 2).float()


def as_batch(frame: NDArray[np.uint8]) -> Tensor:
    """A frame (H, W, 3) as a batch of one, (1, H, W, 3); a copy, because frames in files cannot be written to."""
    return torch.tensor(frame)[None]


def reflected(places: Tensor, size: int) -> Tensor:
    """Rows or columns beyond the frame as those that a mirror at its outermost pixels shows."""
    return (size - 1) - ((size - 1) - places.abs()).abs()


class Reading(NamedTuple):
    """What a student reads from B images.

    Attributes:
        keypoints: (B, K, 3) x, y in pixels of the image, confidence.
        deep: (B, C, h, w), the deepest features of the fine network.
        votes: for the keypoints.
        found: (B,), how sure the coarse network is of the animal, 0..1.
    """

    keypoints: Tensor
    deep: Tensor
    votes: Votes
    found: Tensor


class Student(nn.Module):
    """Images (B, H, W, 3) uint8 RGB of one size to "keypoints" (B, 1, K, 3) and "unlike" (B,), float32.

    A windowed student runs the coarse network on every fourth pixel of every fourth row, cuts a window around the animal's
    centre out of the full image, and runs the fine network on it.

    Args:
        kind: the architecture.
        keypoints: K.
        size: (height, width) of the images.
        window: side of the window in pixels, which becomes a multiple of two cells; ignored without one.
        grid: pixels: windows begin at its multiples, and the fine network is told of it; see `GridPlace`. None: anywhere.

    Attributes:
        guard: judges each frame from the networks' features. It is fitted after the training; until then it lets all pass.
    """

    outputs = ("keypoints", "unlike")

    def __init__(
        self, kind: StudentKind, keypoints: int, size: tuple[int, int], window: int, grid: int | None = None
    ) -> None:
        super().__init__()
        self.kind, self.size, self.grid = kind, size, grid
        step = grid or 2 * kind.cell
        self.window = min(window, *size) // step * step
        self.coarse: nn.Module | None = CoarseNetwork() if kind.windowed else None
        self.fine = FineNetwork(keypoints, kind.width, kind.halvings, None if grid is None else grid // kind.reduction)
        self.guard = Guard(self.fine.features, keypoints)
        self._averaged = kind.reduction

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        reading = self.read(image)
        unlike = self.guard(reading.deep, reading.votes, reading.found)
        return {"keypoints": reading.keypoints[:, None], "unlike": unlike}

    def read(self, image: Tensor) -> Reading:
        """Keypoints, and what the guard judges by."""
        found, corner, seen = self._look(image)
        logits, offsets, deep = self.fine(self.prepared(seen))
        votes = count_votes(logits, offsets)
        xy = votes.xy * self.kind.cell + corner[:, None]
        return Reading(torch.cat([xy, votes.confidence[..., None]], dim=2), deep, votes, found)

    def of_animals(self, reading: Reading) -> Reading:
        """What was read of the animals that were found, one row for each: by this the guard is fitted."""
        return reading

    def prepared(self, seen: Tensor) -> Tensor:
        """The fine network's input of pixels (B, h, w, 3) 0..255."""
        pixels = planes(seen)
        return pixels if self._averaged == 1 else functional.avg_pool2d(pixels, self._averaged)

    def merge_averaging(self) -> None:
        """Let the fine network's first convolution average the pixels, too: the same but for rounding, and faster in a runtime.

        Called after the training, for the file.
        """
        step, self._averaged = self._averaged, 1
        self.fine.take_over_averaging(step)

    def find(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The animal's centre (B, 2) in pixels, and how sure the coarse network is (B,), 0..1."""
        assert self.coarse is not None
        logits = self.coarse(planes(image[:, ::COARSE_STEP, ::COARSE_STEP]))
        votes = count_votes(logits[:, None], radius=_CENTRE_RADIUS)
        return votes.xy[:, 0] * COARSE_CELL, votes.confidence[:, 0]

    def _look(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How sure the coarse network is (B,), the window's corner (B, 2) in pixels, and what the fine network sees."""
        height, width = self.size
        if self.coarse is None:
            count = image.shape[0]
            side = 2 * self.kind.cell
            seen = image[:, : height // side * side, : width // side * side]
            return torch.ones(count), torch.zeros(count, 2), seen
        centre, found = self.find(image)
        step = self.grid or 1
        left, top = (
            ((centre[:, axis] - self.window / 2) / step).round().mul(step).clamp(0, _up(side - self.window, step))
            for axis, side in ((0, width), (1, height))
        )
        windows = self._cut(image, top.long(), left.long())
        return found, torch.stack([left, top], dim=1), windows

    def _cut(self, image: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """Windows (B, S, S, 3) of images: one look-up of pixels, which is as fast in a runtime as a slice."""
        count, height, width, _ = image.shape
        steps = torch.arange(self.window)
        rows, columns = top[:, None] + steps, left[:, None] + steps
        if self.size[0] % (self.grid or 1):  # the last window of the grid reaches beyond the frame
            rows = reflected(rows, self.size[0])
        if self.size[1] % (self.grid or 1):
            columns = reflected(columns, self.size[1])
        rows = (torch.arange(count) * height)[:, None] + rows
        pixels = (rows * width)[:, :, None] + columns[:, None]
        cut = image.reshape(-1, 3).index_select(0, pixels.flatten())
        return cut.reshape(count, self.window, self.window, 3)


def _up(length: int, step: int) -> int:
    """The next multiple of a step."""
    return -(-length // step) * step
