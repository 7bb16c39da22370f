"""A first look at a video: which frames it has, what they look like, and a few of them in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DistillProgress
from dlclive_distill.footage.videos import Reader, Video

THUMBNAILS = 15_000
"""Frames whose appearance is kept: at least so many of a video that has them, and at most twice as many."""
PROBES = 8
"""The same, of frames in full on which the teacher is tried at once."""
_GRID = (24, 32)  # rows and columns of a thumbnail
_REPORTED = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Survey:
    """What a video holds.

    Attributes:
        numbers: (n,) int64: the numbers of the frames that can be decoded.
        seen: (m,) int64: positions in `numbers` of the frames that have a thumbnail, evenly spread.
        thumbnails: (m, d) uint8 grey.
        probes: (p, H, W, 3) uint8 frames, evenly spread.
        corrupt: pictures that could not be decoded.
    """

    numbers: NDArray[np.int64]
    seen: NDArray[np.int64]
    thumbnails: NDArray[np.uint8]
    probes: NDArray[np.uint8]
    corrupt: int


def survey(video: Video, report: Callable[[DistillProgress], None]) -> Survey:
    """Read a video once. Raises SourceError, DataError."""
    reader = Reader(video)
    numbers: list[int] = []
    thumbnails: Thinned[tuple[int, NDArray[np.uint8]]] = Thinned(THUMBNAILS)
    probes: Thinned[NDArray[np.uint8]] = Thinned(PROBES)
    for frame in reader.frames():
        if len(numbers) % _REPORTED == 0:
            stage = f"looking at {video.path.name}"
            report(DistillProgress(stage=stage, done=len(numbers), total=reader.frame_count))
        if thumbnails.wants:
            thumbnails.take((len(numbers), thumbnail(frame.image)))
        if probes.wants:
            probes.take(frame.image)
        for each in (thumbnails, probes):
            each.step()
        numbers.append(frame.index)
    return Survey(
        np.array(numbers, np.int64),
        np.array([place for place, _ in thumbnails.kept], np.int64),
        np.array([pixels for _, pixels in thumbnails.kept], np.uint8),
        np.array(probes.kept[: 2 * PROBES], np.uint8),
        reader.corrupt,
    )


class Thinned(Generic[T]):
    """Keeps from `most` to twice as many of what it is offered, evenly spread, without knowing how much will come."""

    def __init__(self, most: int) -> None:
        self.kept: list[T] = []
        self._most, self._step, self._offered = most, 1, 0

    @property
    def wants(self) -> bool:
        """Whether the present thing is to be kept."""
        return self._offered % self._step == 0

    def take(self, thing: T) -> None:
        """Keep the present thing."""
        self.kept.append(thing)
        if len(self.kept) > 2 * self._most:
            self.kept, self._step = self.kept[::2], 2 * self._step

    def step(self) -> None:
        """Go on to the next thing."""
        self._offered += 1


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(768,) grey values: means of the cells of a grid over an (H, W, 3) image."""
    grey = image[:, :, 1]  # green is most of what grey is
    rows, columns = (_edges(size, cells) for size, cells in zip(grey.shape, _GRID, strict=True))
    sums: NDArray[Any] = np.add.reduceat(np.add.reduceat(grey, rows, axis=0, dtype=np.uint32), columns, axis=1)
    area = np.diff([*rows, grey.shape[0]])[:, None] * np.diff([*columns, grey.shape[1]])[None]
    return (sums / area).astype(np.uint8).ravel()


def _edges(size: int, cells: int) -> NDArray[np.int64]:
    """Where the cells begin. A side of fewer pixels than cells has fewer cells."""
    return np.unique(np.linspace(0, size, min(cells, size), endpoint=False).astype(np.int64))
