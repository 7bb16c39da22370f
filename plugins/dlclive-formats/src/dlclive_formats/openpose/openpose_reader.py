"""Reads OpenPose's folders, frame by frame."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording, RecordingInfo, foreign_card
from dlclive_formats.openpose.frame_json import (
    OWN,
    RECORDING,
    SECONDS,
    UNIQUE,
    person_id,
    person_points,
    points_of,
    read_frame,
)
from dlclive_formats.points import is_number
from dlclive_formats.recording_facts import from_facts
from dlclive_formats.rows import empty_rows, frames_at_once

MOST_FILES = 10_000_000

_LOOKED_AT = 1000  # entries of a folder
_LAST = 1 << 62
_NAMED = 5  # missing frames
_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"_(\d{12}_keypoints|\d{6,})\.json$")


def is_openpose(path: Path) -> bool:
    """Whether a path is a folder with a file of a frame: the first `.json` in it."""
    with suppress(OSError, DataError), os.scandir(path) as entries:
        for entry in islice(entries, _LOOKED_AT):
            if entry.name.lower().endswith(".json"):
                return "version" in read_frame(path / entry.name)
    return False


def has_only_frames(folder: Path) -> bool:
    """Whether all in a folder are files with the names of frames; True for an empty one."""
    with suppress(OSError), os.scandir(folder) as entries:
        return all(entry.is_file(follow_symlinks=False) and _NAME.search(entry.name) for entry in entries)
    return False


def read_openpose(path: Path) -> PoseRecording:
    """Open a folder: bodies only, without faces and hands.

    The number of a frame is the last number in the name of its file. In a folder of another program, keypoints are
    `keypoint_1` and so on; individuals are those of `person_id`, if all people have one, or else numbered in each frame.

    Raises:
        DataError: it has no frames, or they are damaged, or differ in the number of keypoints.
    """
    files = _files(path)
    numbers = np.array(sorted(files), np.int64)
    first = read_frame(path / files[int(numbers[0])])
    own = _own(first).get(RECORDING)
    if own is not None:
        info = from_facts(path / files[int(numbers[0])], own)
        ids = {number: number for number in range(len(info.card.individuals))}
    else:
        info, ids = _scan(path, files)
    plan = _Plan(path, files, info, ids, is_own=own is not None)
    return _Folder(info, int(numbers[-1]) + 1, lambda: _blocks(plan), _lacking(numbers))


class _Folder(ReadRecording):
    """The frames of a folder.

    Args:
        lacking: which files are missing, in one line; empty if none is.
    """

    def __init__(
        self, info: RecordingInfo, frame_count: int, read: Callable[[], Iterator[PoseRows]], lacking: str
    ) -> None:
        super().__init__(info, frame_count, read)
        self._lacking = lacking

    @property
    def damage(self) -> str:
        """Files that are missing: their frames come out without a pose."""
        return self._lacking


def _lacking(numbers: NDArray[np.int64]) -> str:
    """Which files are missing between the first and the last. OpenPose and dlclive write one for each frame, also for those
    without a pose.
    """
    total = int(numbers[-1] - numbers[0]) + 1
    count = total - len(numbers)
    if not count:
        return ""
    gaps = zip((numbers[:-1] + 1).tolist(), numbers[1:].tolist(), strict=True)
    first = list(islice((number for start, stop in gaps for number in range(start, stop)), _NAMED))
    more = f" and {count - len(first)} more" if count > len(first) else ""
    frames, have = ("frame", "has") if count == 1 else ("frames", "have")
    what = f"{count} of {total} files {'is' if count == 1 else 'are'} missing"
    return f"{what}: {frames} {', '.join(map(str, first))}{more}, which {have} no pose in the result"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is read.

    Attributes:
        files: the name of each frame's file.
        ids: the individual of each `person_id`; empty: people are numbered in each frame.
        is_own: whether dlclive wrote the folder; a frame without a pose then has no time, not even an unknown one.
    """

    path: Path
    files: dict[int, str]
    info: RecordingInfo
    ids: dict[int, int]
    is_own: bool


def _files(path: Path) -> dict[int, str]:
    files: dict[int, str] = {}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                found = _NUMBER.findall(entry.name) if entry.name.lower().endswith(".json") else []
                if not found or len(found[-1]) > 18:
                    continue
                if (number := int(found[-1])) in files:
                    raise DataError(f"{path} has two files of frame {number}: {files[number]} and {entry.name}")
                if len(files) == MOST_FILES:
                    raise DataError(f"{path} has more than {MOST_FILES} files: divide it")
                files[number] = entry.name
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    if not files:
        raise DataError(f"{path} has no .json files with the number of a frame in their names")
    return files


def _scan(path: Path, files: dict[int, str]) -> tuple[RecordingInfo, dict[int, int]]:
    """Learn from all frames of another program how many keypoints and individuals there are."""
    points, most, known = 0, 0, True
    ids: set[int] = set()
    for name in files.values():
        people = read_frame(path / name)["people"]
        counts = {len(person_points(person, path / name)) for person in people} - {0}
        most = max(most, len(people))
        if len(counts | {points} - {0}) > 1:
            raise DataError(
                f"{path / name} has people with {sorted(counts)} keypoints, others in the folder have {points}"
            )
        points = max(counts, default=points)
        numbers = [person_id(person) for person in people]
        known = known and -1 not in numbers and len(set(numbers)) == len(numbers)
        if known:
            ids.update(numbers)
    if not points:
        raise DataError(f"{path} has no people with a body: there is nothing to read")
    if known and len(ids) <= _MOST:
        names = [f"person_{number}" for number in sorted(ids)]
    else:
        ids, names = set(), [f"individual_{number + 1}" for number in range(most)]
    keypoints = [f"keypoint_{number + 1}" for number in range(points)]
    card = foreign_card(path, keypoints, individuals=names if len(names) > 1 else ())
    return RecordingInfo(card=card), {number: place for place, number in enumerate(sorted(ids))}


_MOST = 1000  # individuals of a card


def _blocks(plan: _Plan) -> Iterator[PoseRows]:
    numbers, step = sorted(plan.files), frames_at_once(plan.info)
    for start in range(0, len(numbers), step):
        block = numbers[start : start + step]
        rows, kept = empty_rows(np.array(block, np.int64), plan.info), np.ones(len(block), np.bool_)
        for index, number in enumerate(block):
            kept[index] = _fill(rows, index, plan, plan.path / plan.files[number])
        if kept.any():
            yield PoseRows(rows.numbers[kept], rows.seconds[kept], rows.keypoints[kept], rows.unique[kept])


def _fill(rows: PoseRows, index: int, plan: _Plan, file: Path) -> bool:
    """Read a frame into its row, and return whether it has one."""
    frame = read_frame(file)
    own = _own(frame) if plan.is_own else {}
    if plan.is_own and SECONDS not in own:
        return False
    seconds: Any = own.get(SECONDS)
    if is_number(seconds):
        rows.seconds[index] = seconds
    if rows.unique.shape[1] and UNIQUE in own:
        _put(rows.unique[index], points_of(own[UNIQUE], file), file)
    for place, person in enumerate(frame["people"]):
        points = person_points(person, file)
        slot = plan.ids.get(person_id(person), -1) if plan.ids else place
        if not len(points):
            continue
        if not 0 <= slot < rows.keypoints.shape[1]:
            raise DataError(f"{file} has a person {person_id(person)} that is none of the recording's individuals")
        _put(rows.keypoints[index, slot], points, file)
    return True


def _put(place: Any, points: Any, file: Path) -> None:
    if len(points) != len(place):
        raise DataError(f"{file} has {len(points)} keypoints where {len(place)} are expected")
    place[:] = points


def _own(frame: dict[str, Any]) -> dict[str, Any]:
    own = frame.get(OWN)
    return own if isinstance(own, dict) else {}
