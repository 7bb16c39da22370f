"""Which frames of the videos are labelled: candidates to learn from, and stretches to judge on; kept in a plain file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, write_whole
from dlclive_distill.footage.row_file import RowFile, read_rows
from dlclive_distill.footage.split import WHOLE_FROM, choose_stretches, split_video
from dlclive_distill.footage.survey import Survey
from dlclive_distill.footage.variety import CLUSTERS, clusters, principal, spread_over
from dlclive_distill.footage.videos import Video

LEAST_TRAINED, LEAST_JUDGED = 100, 30
MOST_TRAINED_BYTES, MOST_JUDGED_BYTES = 4 * 10**9, 10**9
"""Of pixels on the disk."""
_CANDIDATES = 1.5  # labelled frames for each that is learnt from: the teacher's poses choose among them

_FILE, _APPEARANCE = "choice.json", "candidates_appearance.npy"


@dataclass(frozen=True, slots=True)
class Choice:
    """The frames to label. Each is (number of the video, number of the frame), in the videos' order.

    Attributes:
        count: how many of the candidates are learnt from.
        candidates, held_out: (n, 2) int64.
        appearance: (n, c) float32 of the candidates.
        notices: what the user should know.
    """

    count: int
    candidates: NDArray[np.int64]
    held_out: NDArray[np.int64]
    appearance: NDArray[np.float32]
    notices: tuple[str, ...]


def choose(videos: Sequence[Video], surveys: Sequence[Survey], count: int, rng: np.random.Generator) -> Choice:
    """Split the videos and choose frames. Raises DataError if there are too few."""
    notices = [
        f"{video.path.name} is damaged: {it.corrupt} pieces could not be decoded; its other frames are used"
        for video, it in zip(videos, surveys, strict=True)
        if it.corrupt
    ]
    whole = len(videos) >= WHOLE_FROM
    splits = [
        split_video(len(it.numbers), video.fps, whole=whole and place == len(videos) - 1)
        for place, (video, it) in enumerate(zip(videos, surveys, strict=True))
    ]
    width, height = videos[0].size
    pixels = 3 * width * height
    stretches = choose_stretches([len(held) for _, held in splits], _most(MOST_JUDGED_BYTES, pixels, LEAST_JUDGED))
    held_out = [
        (place, int(surveys[place].numbers[held[at]]))
        for place, (_, held) in enumerate(splits)
        for stretch in stretches[place]
        for at in stretch
    ]
    there = sum(len(trained) for trained, _ in splits)
    _check_enough(there, len(held_out))
    fits = _most(MOST_TRAINED_BYTES, pixels, LEAST_TRAINED)
    if fits < min(count, there):
        notices.append(
            f"{fits} frames are learnt from and not {count}: those of {width} x {height} take "
            f"{MOST_TRAINED_BYTES / 1e9:.0f} GB"
        )
    elif there < count:
        notices.append(
            f"{there} frames are learnt from and not {count}: the videos have no more; give more, or longer ones"
        )
    count = min(count, there, fits)
    candidates, appearance = _candidates(splits, surveys, math.ceil(count * _CANDIDATES), rng)
    return Choice(
        min(count, len(candidates)), candidates, np.array(held_out, np.int64).reshape(-1, 2), appearance, tuple(notices)
    )


def _candidates(
    splits: Sequence[tuple[range, range]], surveys: Sequence[Survey], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    frames, thumbnails = [], []
    for place, ((trained, _), it) in enumerate(zip(splits, surveys, strict=True)):
        inside = it.seen < trained.stop
        frames += [(place, int(it.numbers[at])) for at in it.seen[inside]]
        thumbnails.append(it.thumbnails[inside])
    appearance = principal(np.concatenate(thumbnails).astype(np.float32), rng)
    chosen = spread_over(clusters(appearance, CLUSTERS, rng), count, rng)
    return np.array(frames, np.int64)[chosen], appearance[chosen]


def _most(limit: int, pixels: int, least: int) -> int:
    return max(least, limit // pixels)


def _check_enough(trained: int, judged: int) -> None:
    if trained < LEAST_TRAINED:
        raise DataError(
            f"the videos have {trained} frames to learn from, without those that are held out, and at least {LEAST_TRAINED} "
            "are needed: give more or longer videos"
        )
    if judged < LEAST_JUDGED:
        raise DataError(
            f"the videos have {judged} frames to judge on (the last fifth of each), and at least {LEAST_JUDGED} are needed: "
            "give more or longer videos"
        )


def save_choice(folder: Path, choice: Choice) -> None:
    """Keep a choice; its main file appears last. Raises DataError."""
    file = RowFile(folder / _APPEARANCE, choice.appearance.shape, np.float32)
    file.begin(0)
    file.append(choice.appearance)
    file.finish()
    values = {**asdict(choice), "candidates": choice.candidates.tolist(), "held_out": choice.held_out.tolist()}
    del values["appearance"]
    write_whole(folder / _FILE, json.dumps(values))


def is_chosen(folder: Path) -> bool:
    """Whether the folder holds a choice, after which frames are labelled."""
    return (folder / _FILE).exists()


def saved_choice(folder: Path) -> Choice | None:
    """The choice of an earlier call; None if there is none. Raises DataError."""
    path = folder / _FILE
    if not is_chosen(folder):
        return None
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        candidates, held_out = (np.array(values[name], np.int64).reshape(-1, 2) for name in ("candidates", "held_out"))
        notices = tuple(str(text) for text in values["notices"])
        return Choice(int(values["count"]), candidates, held_out, read_rows(folder / _APPEARANCE), notices)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read {path} ({error}): delete {folder}, and begin again") from None
