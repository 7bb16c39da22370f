"""Make the footage of a distillation, or continue where an earlier call stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, DistillProgress, UsageError, write_whole
from dlclive_distill.footage.checks import check_teacher_sees
from dlclive_distill.footage.choice import Choice, choose, save_choice, saved_choice
from dlclive_distill.footage.labelled import Footage, Labelled, stretch_starts
from dlclive_distill.footage.labelling import CANDIDATES_MAPS, label_frames
from dlclive_distill.footage.row_file import RowFile, check_space, read_rows
from dlclive_distill.footage.survey import Survey, survey
from dlclive_distill.footage.variety import CLUSTERS, clusters, pose_features, spread_over
from dlclive_distill.footage.videos import Video, look_at
from dlclive_distill.footage.writing import write_chosen
from dlclive_distill.labeller import Labeller

_IDENTITY, _CHOSEN, _COMPLETE = "footage.json", "chosen.json", "complete.json"
_VERSION = 1

Report = Callable[[DistillProgress], None]


def prepare_footage(
    videos: Sequence[Path], teacher: Labeller, folder: Path, *, count: int, seed: int, report: Report = lambda _: None
) -> Footage:
    """Choose frames of the videos, and have the teacher label them.

    The last fifth of each video is held out, after a gap of a second; with three videos or more, all of the last one, too. From
    the rest frames are chosen that differ in appearance, and of these, such that differ in the teacher's poses. All of it is
    kept in the folder as plain files. A call with the same arguments continues where an earlier one stopped.

    Args:
        videos: of one camera, with frames of one size.
        teacher: labels the frames.
        folder: where the files are kept; created if missing.
        count: frames to learn from; fewer if there are no more, or if they would take more than 4 GB.
        seed: of the choice.
        report: called with the progress.

    Raises:
        UsageError: the folder holds footage of another teacher, other videos or other options.
        SourceError, DataError: a video cannot be read, has too few frames or does not show the animal; or the disk is full.
    """
    found = look_at(videos)
    identity = {
        "version": _VERSION,
        "teacher": {"name": teacher.path.name, "sha256": teacher.sha256},
        "videos": [video.identity for video in found],
        "frames": count,
        "seed": seed,
        "animals": teacher.animals,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {folder}: {error.strerror}") from None
    _claim(folder, identity)
    choice = saved_choice(folder)
    if not (folder / _COMPLETE).exists():
        if choice is None:
            choice = choose(found, _surveys(found, teacher, report), count, np.random.default_rng(seed))
            save_choice(folder, choice)
        _check_space(folder, found[0], choice, teacher)
        keypoints, heatmaps = label_frames(found, teacher, choice, folder, report)
        check_teacher_sees(keypoints, teacher.path.name, f"the {len(keypoints)} frames chosen from these videos")
        chosen = _kept_choice(folder, lambda: _chosen(choice, keypoints, found[0].size, np.random.default_rng(seed)))
        write_chosen(found, choice.candidates[chosen], folder, report)
        _copy_rows(keypoints, chosen, folder / "keypoints.npy")
        _copy_rows(heatmaps, chosen, folder / "heatmaps.npy")
        del keypoints, heatmaps
        write_whole(folder / _COMPLETE, "{}")
    with suppress(OSError):  # the largest file that is no longer needed
        (folder / CANDIDATES_MAPS).unlink(missing_ok=True)
    assert choice is not None
    footage = _read(folder, choice, teacher)
    unseen_from = tuple(_first_held_out(choice, place) for place in range(len(found)))
    return replace(footage, unseen_from=unseen_from)


def _first_held_out(choice: Choice, video: int) -> int | None:
    numbers = choice.held_out[choice.held_out[:, 0] == video, 1]
    return int(numbers[0]) if len(numbers) else None


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Note whose footage the folder holds. Raises UsageError if it is another's, saying what differs."""
    path = folder / _IDENTITY
    if not path.exists():
        write_whole(path, json.dumps(identity, indent=2))
        return
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): delete {folder}, and begin again") from None
    if not isinstance(earlier, dict):
        raise DataError(f"{path} is not what dlclive wrote: delete {folder}, and begin again")
    earlier = {"animals": 1, **earlier}  # the first version knew no others
    differing = [name for name, value in identity.items() if earlier.get(name) != value]
    if differing:
        what = {
            "version": "another version of dlclive-distill",
            "teacher": "another teacher",
            "videos": "other videos, or other versions of them",
            "frames": f"--training-frames {earlier.get('frames')} and not {identity['frames']}",
            "seed": f"--seed {earlier.get('seed')} and not {identity['seed']}",
            "animals": f"--animals {earlier.get('animals')} and not {identity['animals']}",
        }[differing[0]]
        raise UsageError(
            f"{folder} holds the footage of {what}: call with what it was made of, give another OUT, or delete the folder"
        )


def _surveys(videos: Sequence[Video], teacher: Labeller, report: Report) -> list[Survey]:
    """Look at all videos, and whether the teacher sees the animal there, before much is labelled."""
    surveys, poses = [], []
    for video in videos:
        found = survey(video, report)
        poses += [teacher.label(image[None])[0] for image in found.probes]
        surveys.append(found)
    check_teacher_sees(np.concatenate(poses), teacher.path.name, f"{len(poses)} frames spread over these videos")
    return surveys


def _check_space(folder: Path, video: Video, choice: Choice, teacher: Labeller) -> None:
    width, height = video.size
    rows, columns = teacher.map_size(width, height)
    maps = 2 * len(teacher.card.skeleton) * rows * columns
    needed = 3 * width * height * (choice.count + len(choice.held_out)) + maps * (len(choice.candidates) + choice.count)
    there = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    check_space(folder, needed - there)


def _chosen(
    choice: Choice, keypoints: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The places of the candidates to learn from, which differ in appearance and pose."""
    look = choice.appearance / np.sqrt(max(float(choice.appearance.var(axis=0).sum()), 1e-12))
    features = np.concatenate([look.astype(np.float32), pose_features(np.asarray(keypoints), size)], axis=1)
    return spread_over(clusters(features, CLUSTERS, rng), choice.count, rng)


def _kept_choice(folder: Path, choose: Callable[[], NDArray[np.int64]]) -> NDArray[np.int64]:
    """What an earlier call chose, whose frames may be half written, or else what is chosen now."""
    if not (folder / _CHOSEN).exists():
        write_whole(folder / _CHOSEN, json.dumps(choose().tolist()))
    return _read_chosen(folder)


def _read_chosen(folder: Path) -> NDArray[np.int64]:
    path = folder / _CHOSEN
    try:
        return np.array(json.loads(path.read_text(encoding="utf-8")), np.int64)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): delete {folder}, and begin again") from None


def _copy_rows(source: NDArray[Any], rows: NDArray[np.int64], path: Path) -> None:
    file = RowFile(path, (len(rows), *source.shape[1:]), source.dtype)
    file.begin(0)
    try:
        for at in range(0, len(rows), 64):
            file.append(source[rows[at : at + 64]])
        file.finish()
    finally:
        file.close()


def _read(folder: Path, choice: Choice, teacher: Labeller) -> Footage:
    frames = choice.candidates[_read_chosen(folder)]
    train, keypoints, heatmaps, held, held_keypoints = (
        read_rows(folder / f"{name}.npy")
        for name in ("frames", "keypoints", "heatmaps", "held_out_frames", "held_out_keypoints")
    )
    points = len(teacher.card.skeleton)
    animals = (-1, teacher.animals, points, 3)  # the first version's files have no axis for one animal
    none = np.zeros((0, points, 0, 0), np.float16)
    return Footage(
        Labelled(train, keypoints.reshape(animals), heatmaps, stretch_starts(*frames.T)),
        Labelled(held, held_keypoints.reshape(animals), none, stretch_starts(*choice.held_out.T)),
        teacher.stride,
        teacher.grid,
        choice.notices,
    )
