"""Have the teacher label candidates and held-out frames, and continue where an earlier call stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, DistillProgress
from dlclive_distill.footage.choice import Choice
from dlclive_distill.footage.row_file import RowFile, read_rows
from dlclive_distill.footage.videos import Reader, Video
from dlclive_distill.labeller import Labeller

CANDIDATES_MAPS = "candidates_heatmaps.npy"

_BATCH = 4


def label_frames(
    videos: Sequence[Video],
    teacher: Labeller,
    choice: Choice,
    folder: Path,
    report: Callable[[DistillProgress], None],
) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    """Label all frames of a choice. Held-out frames are also kept as pixels, in `held_out_frames.npy`.

    Returns:
        The candidates' keypoints (n, A, K, 3) and heatmaps (n, K, h, w), as read-only views of files.
    """
    width, height = videos[0].size
    points, maps = len(teacher.card.skeleton), teacher.map_size(width, height)
    animals = (teacher.animals, points, 3)
    candidates = [
        RowFile(folder / "candidates_keypoints.npy", (len(choice.candidates), *animals), np.float32),
        RowFile(folder / CANDIDATES_MAPS, (len(choice.candidates), points, *maps), np.float16),
    ]
    held_out = [
        RowFile(folder / "held_out_keypoints.npy", (len(choice.held_out), *animals), np.float32),
        RowFile(folder / "held_out_frames.npy", (len(choice.held_out), height, width, 3), np.uint8),
    ]
    try:
        _label(videos, teacher, choice, candidates, held_out, report)
    finally:
        for file in (*candidates, *held_out):
            file.close()
    return read_rows(candidates[0].path), read_rows(candidates[1].path)


def _label(
    videos: Sequence[Video],
    teacher: Labeller,
    choice: Choice,
    candidates: list[RowFile],
    held_out: list[RowFile],
    report: Callable[[DistillProgress], None],
) -> None:
    done = []
    for files in (candidates, held_out):
        rows = min(file.rows for file in files)
        done.append(rows)
        for file in files:
            file.begin(rows)
    wanted = [choice.candidates[done[0] :], choice.held_out[done[1] :]]
    total, count = len(choice.candidates) + len(choice.held_out), sum(done)
    for place, video in enumerate(videos):
        left = [rows[rows[:, 0] == place][:, 1].tolist() for rows in wanted]
        for images, learnt in batches(video, *left):
            report(DistillProgress(stage=f"labelling {video.path.name}", done=count, total=total))
            found, heatmaps = teacher.label(images)
            for files, these, more in ((candidates, learnt, heatmaps), (held_out, ~learnt, images)):
                files[0].append(found[these])
                files[1].append(more[these])
            count += len(images)
    for file in (*candidates, *held_out):
        file.finish()


def batches(
    video: Video, learnt: Sequence[int], held_out: Sequence[int]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield the frames with these numbers in order, in small batches: images (b, H, W, 3), and (b,) which are learnt from.

    Raises DataError if the video does not have them all, as when it has changed.
    """
    for frames in frame_batches(video, sorted([*learnt, *held_out])):
        numbers = [number for number, _ in frames]
        yield np.stack([image for _, image in frames]), np.isin(numbers, learnt)


def frame_batches(video: Video, numbers: Sequence[int]) -> Iterator[list[tuple[int, NDArray[np.uint8]]]]:
    """Yield the frames with these increasing numbers as lists of (number, image). Raises DataError if one is missing."""
    wanted, found = set(numbers), 0
    batch: list[tuple[int, NDArray[np.uint8]]] = []
    if not wanted:
        return
    for frame in Reader(video).frames():
        if frame.index in wanted:
            batch.append((frame.index, frame.image))
            found += 1
        if batch and (len(batch) == _BATCH or found == len(wanted)):
            yield batch
            batch = []
        if found == len(wanted):
            return
    raise DataError(
        f"{video.path} had {len(wanted)} of the frames that were chosen, and now has {found}: delete the working folder, and "
        "begin again"
    )
