"""Frames of the rig as they could have been: moved, turned and scaled a little, and labelled by the teacher again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DistillProgress
from dlclive_distill.animal import fills, window_side
from dlclive_distill.footage.choice import MOST_TRAINED_BYTES
from dlclive_distill.footage.labelled import Footage, Labelled
from dlclive_distill.footage.parts import cut_maps, cut_part, part_corner
from dlclive_distill.footage.row_file import RowFile, check_space, read_rows
from dlclive_distill.footage.variations import SMALL_ANGLE, mirrored_frame, move_frame, vary_frame
from dlclive_distill.labeller import Labeller

_ANY_ANGLE = 180.0  # degrees
_MOST_COPIES, _MINUTES_EACH = 6, 7.5
_AROUND = 2  # squares of the grid by which what is kept is wider than the window

Report = Callable[[DistillProgress], None]


def label_varied(
    footage: Footage,
    teacher: Labeller,
    folder: Path,
    *,
    minutes: float,
    seed: int,
    mirrored: bool,
    whole: bool = False,
    report: Report = lambda _: None,
) -> tuple[Labelled, ...]:
    """Vary each frame to learn from, and have the teacher label it, once for each 7.5 minutes of training.

    At most six times, and in 4 GB.

    A student that is only given labels that are turned or moved with the frames learns that the teacher treats all places and
    turns alike. It does not: where it is off depends on how the animal lies in the picture, to the pixel. Of a teacher with a
    grid only the part around the animal is kept, which begins at a multiple of the grid, unless the animal fills the frame.
    Of others whole frames are kept, once. Continues where an earlier call stopped.

    Args:
        minutes: of the training.
        mirrored: whether half of the frames that are turned are mirrored, too; see `mirror_holds`.
        whole: whether the student sees whole frames, which are kept then.

    Raises:
        DataError: the disk is full.
    """
    grid = footage.grid
    _, height, width, _ = footage.train.frames.shape
    side = None if grid is None or whole else _kept_side(footage.train, grid)
    kept_width, kept_height = side or (width, height)
    each = len(footage.train) * 3 * kept_width * kept_height
    wanted = 1 if grid is None else min(_MOST_COPIES, round(minutes / _MINUTES_EACH), MOST_TRAINED_BYTES // each)
    copies = range(max(1, wanted))
    missing = [copy for copy in copies if not _files(folder, copy, footage, side)[-1].path.exists()]
    check_space(folder, len(missing) * each)
    for copy in missing:
        _label(
            footage, teacher, _files(folder, copy, footage, side), _Variation(copy, seed, grid, mirrored), side, report
        )
    return tuple(_read(_files(folder, copy, footage, side), whole=side is None) for copy in copies)


def _kept_side(train: Labelled, grid: int) -> tuple[int, int] | None:
    """(width, height) of the part of a frame that is kept; None for all of it, because the animal fills it."""
    _, height, width, _ = train.frames.shape
    window = window_side(train.keypoints, grid)
    if fills(window, width, height):
        return None
    across, down = (math.ceil(length / grid) * grid for length in (width, height))
    return min(window + _AROUND * grid, across), min(window + _AROUND * grid, down)


@dataclass(frozen=True, slots=True)
class _Variation:
    """One way of varying all frames: moved, or turned, a little or by any angle."""

    copy: int
    seed: int
    grid: int | None
    mirrored: bool

    def of(self, frame: NDArray[np.uint8], keypoints: NDArray[np.float32], row: int) -> NDArray[np.uint8]:
        random = np.random.default_rng([self.seed, self.copy, row])
        if self.grid is not None and self.copy % 2 == 0:
            return move_frame(frame, random, self.grid)
        if self.mirrored and random.random() < 0.5:
            frame, keypoints = mirrored_frame(frame, keypoints)
        # without a grid, pictures are turned in the training, too
        angle = _ANY_ANGLE if self.grid is not None and self.copy % 4 == 1 else SMALL_ANGLE
        return vary_frame(frame, keypoints, random, angle)


def _files(folder: Path, copy: int, footage: Footage, side: tuple[int, int] | None) -> list[RowFile]:
    """Frames, heatmaps, corners and keypoints of a copy; whole frames if `side` is None."""
    train = footage.train
    frames, maps = train.frames.shape[1:], train.heatmaps.shape[1:]
    if side is not None:
        frames = (side[1], side[0], 3)
        maps = (maps[0], *(round(length / footage.stride) for length in frames[:2]))
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "frames": (frames, np.uint8),
        "heatmaps": (maps, np.float16),
        "corners": ((2,), np.int64),
        "keypoints": (train.keypoints.shape[1:], np.float32),
    }
    what = "varied_whole" if side is None else "varied"
    return [
        RowFile(folder / f"{what}_{copy}_{name}.npy", (len(train), *shape), dtype)
        for name, (shape, dtype) in shapes.items()
    ]


def _label(
    footage: Footage,
    teacher: Labeller,
    files: list[RowFile],
    variation: _Variation,
    side: tuple[int, int] | None,
    report: Report,
) -> None:
    train, stage = footage.train, f"labelling varied frames ({variation.copy + 1})"
    done = min(file.rows for file in files)
    try:
        for file in files:
            file.begin(done)
        for row in range(done, len(train)):
            report(DistillProgress(stage=stage, done=row, total=len(train)))
            image = variation.of(train.frames[row], train.keypoints[row], row)
            labels, heatmaps = teacher.label(image[None])
            corner, picture, maps = np.zeros(2, np.int64), image, heatmaps[0]
            if side is not None and footage.grid is not None:
                corner = part_corner(labels[0, 0], image.shape, side, footage.grid)
                picture = cut_part(image, corner, side)
                maps = cut_maps(maps, files[1].shape[2:], corner, footage.stride)
            rows: tuple[NDArray[Any], ...] = (picture, maps, corner, labels[0])
            for file, values in zip(files, rows, strict=True):
                file.append(values[None])
        for file in files:
            file.finish()
    finally:
        for file in files:
            file.close()


def _read(files: list[RowFile], *, whole: bool) -> Labelled:
    frames, heatmaps, corners, keypoints = (read_rows(file.path) for file in files)
    return Labelled(frames, keypoints, heatmaps, tuple(range(len(frames))), None if whole else corners)
