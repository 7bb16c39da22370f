"""Reads SLEAP's CSV, in blocks."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from dlclive_io import foreign_errors
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording, RecordingInfo, foreign_card
from dlclive_formats.rows import frames_at_once
from dlclive_formats.sleap.tracks import Tracks

TRACK, FRAME, SCORE, INSTANCE = "track", "frame_idx", "instance.score", "instance"
PARTS = ("x", "y", "score")
UNNAMED = "individual_1"
"""The animal of a project without names."""

_WHAT = "a SLEAP CSV"
_MOST_NAMES = 1000
_LONGEST_LINE = 1 << 20  # characters
_LAST_FRAME = 2**53

_Row = tuple[int, int, str, list[str]]  # line, frame, track, all cells


def is_sleap_csv(path: Path) -> bool:
    """Whether the first line names the columns of SLEAP."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return bool(_nodes(path, file))
    except (OSError, ValueError, csv.Error, DataError):
        return False


def read_sleap_csv(path: Path) -> PoseRecording:
    """Open a table; it is read once for the names of its tracks. Raises DataError."""
    tracks: dict[str, None] = {}
    untracked = most_untracked = last = 0
    with foreign_errors(path, _WHAT), path.open(newline="", encoding="utf-8-sig") as file:
        nodes = _nodes(path, file)
        frame = -1
        for line, number, track, _ in _rows(path):
            if number < frame:
                raise DataError(
                    f"{path}, line {line}: frame {number} comes after frame {frame}: sort the rows by {FRAME}"
                )
            untracked = 0 if number > frame else untracked
            frame, last = number, number + 1
            if track:
                tracks[track] = None
            else:
                untracked += 1
                most_untracked = max(most_untracked, untracked)
            if len(tracks) + most_untracked > _MOST_NAMES:
                raise DataError(f"{path}, line {line}: more than {_MOST_NAMES} tracks")
    if most_untracked == 1 and not tracks:
        names: tuple[str, ...] = ()
    else:
        names = (*tracks, *(_untracked(place) for place in range(most_untracked)))
    info = RecordingInfo(card=foreign_card(path, tuple(nodes), individuals=names))
    return ReadRecording(info, last, lambda: _blocks(path, nodes, info))


def _blocks(path: Path, nodes: dict[str, list[int]], info: RecordingInfo) -> Iterator[PoseRows]:
    tracks = Tracks(info)
    places = {name: place for place, name in enumerate(info.card.individuals)}
    columns = [at for node in nodes.values() for at in node]
    numbers: list[int] = []
    frames: list[NDArray[np.float64]] = []
    untracked, step = 0, frames_at_once(info)
    seen: set[int] = set()
    with foreign_errors(path, _WHAT):
        for line, number, track, row in _rows(path):
            if not numbers or number != numbers[-1]:
                if len(numbers) == step:
                    yield tracks.rows(np.array(numbers, np.int64), np.array(frames))
                    numbers, frames = [], []
                numbers.append(number)
                frames.append(np.full((len(places), len(nodes), 3), np.nan))
                untracked, seen = 0, set()
            place = places.get(track, -1) if track else places.get(_untracked(untracked), 0 if untracked == 0 else -1)
            untracked += not track
            if place < 0 or place in seen:
                raise DataError(f"{path}, line {line}: frame {number} has the track {track!r} twice, or it is new")
            seen.add(place)
            try:
                cells = [float(row[at] or "nan") if at >= 0 else math.nan for at in columns]
            except ValueError as error:
                raise DataError(f"{path}, line {line}: {' '.join(str(error).split())[:200]}") from None
            frames[-1][place] = np.array(cells, np.float64).reshape(-1, len(PARTS))
        if numbers:
            yield tracks.rows(np.array(numbers, np.int64), np.array(frames))


def _rows(path: Path) -> Iterator[_Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.reader(_lines(file))
        header = next(table, [])
        frame_at, track_at = header.index(FRAME), header.index(TRACK)
        for row in table:
            if not row:
                continue
            try:
                if len(row) != len(header):
                    raise ValueError(f"{len(row)} values for {len(header)} columns")
                number = float(row[frame_at])
                if not 0 <= number < _LAST_FRAME or number != math.floor(number):
                    raise ValueError(f"{row[frame_at]!r} is not the number of a frame")
            except ValueError as error:
                raise DataError(f"{path}, line {table.line_num}: {' '.join(str(error).split())[:200]}") from None
            yield table.line_num, int(number), row[track_at], row


def _nodes(path: Path, file: IO[str]) -> dict[str, list[int]]:
    """Node -> columns of x, y and score; -1 for a score that is not there."""
    header = next(csv.reader(_lines(file)), [])
    if not {TRACK, FRAME} <= set(header):
        raise DataError(f"{path} is not {_WHAT}: its first line has no columns {TRACK} and {FRAME}")
    places = {name: at for at, name in enumerate(header)}
    names = [name.removesuffix(".x") for name in header if name.endswith(".x") and f"{name[:-1]}y" in places]
    if not names or len(names) > _MOST_NAMES:
        raise DataError(f"{path} is not {_WHAT} with 1 to {_MOST_NAMES} nodes: it has {len(names)}")
    return {name: [places.get(f"{name}.{part}", -1) for part in PARTS] for name in names}


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise ValueError("a line is too long")
        yield line


def _untracked(place: int) -> str:
    return f"individual_{place + 1}"
