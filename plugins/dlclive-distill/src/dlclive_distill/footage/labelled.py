"""Frames with the teacher's labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Labelled:
    """Frames with the teacher's labels.

    Attributes:
        frames: (N, H, W, 3) uint8 RGB, whole frames or parts of them; a read-only view of a file.
        keypoints: (N, A, K, 3) float32 of A animals, in no order: x, y in pixels of the frame, where the centre of the first
            pixel is 0.5, and confidence; NaN, NaN, 0 for what is not there.
        heatmaps: (N, K, h, w) float16 from 0 to 1; (0, K, 0, 0) for frames that are held out, and for teachers that tell
            none.
        corners: (N, 2) int64: x, y of the first pixel in the frame that it was cut from; None: whole frames.
        starts: indices at which a new stretch of successive frames of a video begins; the first is 0.
    """

    frames: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    heatmaps: NDArray[np.float16]
    starts: tuple[int, ...]
    corners: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def has_heatmaps(self) -> bool:
        return self.heatmaps.size > 0


@dataclass(frozen=True, slots=True)
class Footage:
    """What a student learns from, and what it is judged on: other frames, at least a second away.

    Attributes:
        train, held_out: the frames.
        unseen_from: for each video, the number of the first frame that is held out; nothing after it is learnt. None: none.
        varied: for each, as many pictures as `train` has frames, made from these in their order; see `label_varied`.
        stride: pixels of the frame per cell of a heatmap: cell (r, c) is at ((c + 0.5) * stride, (r + 0.5) * stride).
        grid: of the teacher, see `Labeller`.
        notices: what the user should know, one line each.
    """

    train: Labelled
    held_out: Labelled
    stride: float
    grid: int | None = None
    notices: tuple[str, ...] = ()
    unseen_from: tuple[int | None, ...] = ()
    varied: tuple[Labelled, ...] = ()


def stretch_starts(videos: NDArray[np.int64], numbers: NDArray[np.int64]) -> tuple[int, ...]:
    """Where stretches of successive frames begin, of frames with these videos and frame numbers, in order."""
    if not len(numbers):
        return ()
    breaks = (np.diff(videos) != 0) | (np.diff(numbers) != 1)
    return (0, *(int(place) + 1 for place in np.flatnonzero(breaks)))
