"""Reads tidy tables of poses from Parquet files, in blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlclive_io import foreign_errors
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording, RecordingInfo, foreign_card, split_rows
from dlclive_formats.recording_facts import from_facts
from dlclive_formats.rows import MOST_EMPTY_FRAMES, frames_at_once

METADATA = b"dlclive"
"""Key of our JSON in the schema's metadata."""

COUNT = "frame_count"
"""Its entry with the number of frames: the last ones may have no pose, and so no rows."""

_WHAT = "a tidy Parquet table"
_NEEDED = ("frame", "keypoint", "x", "y")
_BATCH = 65_536  # rows
_MOST_NAMES = 1000
_LAST_NUMBER = 2**62
UNIQUE = "single"
"""The individual of unique keypoints, as in DeepLabCut's tables."""


def is_tidy_table(path: Path) -> bool:
    """Whether a file is Parquet and has the columns of poses."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return False
        return set(_NEEDED) <= set(pq.read_schema(path).names)
    except (OSError, ValueError, pa.ArrowException):
        return False


def read_parquet(path: Path) -> PoseRecording:
    """Open a table. Raises DataError."""
    with foreign_errors(path, _WHAT), pq.ParquetFile(path) as file:
        columns = file.schema_arrow.names
        missing = [name for name in _NEEDED if name not in columns]
        if missing:
            raise DataError(f"{path} is not {_WHAT} of poses: it has no column {', '.join(missing)}")
        text = (file.schema_arrow.metadata or {}).get(METADATA)
        facts = json.loads(text) if text else None
        info = _described(path, file) if facts is None else from_facts(path, facts)
        frame_count = _last_frame(file) + 1
        if facts is not None and isinstance(facts.get(COUNT), int):
            frame_count = max(frame_count, min(facts[COUNT], frame_count + MOST_EMPTY_FRAMES))
    return ReadRecording(info, frame_count, lambda: _blocks(path, info))


def _described(path: Path, file: Any) -> RecordingInfo:
    """The names of a table of another program, in the order in which they appear."""
    columns = file.schema_arrow.names
    keypoints: dict[str, None] = {}
    individuals: dict[str, None] = {}
    named = [name for name in ("keypoint", "individual") if name in columns]
    for batch in file.iter_batches(_BATCH, columns=named):
        for name, found in (("keypoint", keypoints), ("individual", individuals)):
            if name in named:
                found.update(dict.fromkeys(_names(batch.column(name))[0]))
                if len(found) > _MOST_NAMES:
                    raise DataError(f"{path} has more than {_MOST_NAMES} names in the column {name}")
    return RecordingInfo(
        card=foreign_card(path, tuple(keypoints), individuals=tuple(individuals)),
        has_times="time" in columns,
        dimensions=3 if "z" in columns else 2,
        unit="" if "z" in columns else "px",
    )


def _last_frame(file: Any) -> int:
    """The last frame's number; -1 without rows."""
    last = -1
    for group in range(file.num_row_groups - 1, -1, -1):
        for batch in file.iter_batches(_BATCH, row_groups=[group], columns=["frame"]):
            if batch.num_rows:
                last = int(batch.column("frame")[batch.num_rows - 1].as_py())
        if last >= 0:
            break
    if not -1 <= last < _LAST_NUMBER:
        raise ValueError(f"the last frame has the number {last}")
    return last


def _blocks(path: Path, info: RecordingInfo) -> Iterator[PoseRows]:
    frames = _Frames(path, info)
    file = None
    try:
        with foreign_errors(path, _WHAT):
            file = pq.ParquetFile(path)
            batches = file.iter_batches(_BATCH, columns=frames.columns(file.schema_arrow.names))
        while True:
            with foreign_errors(path, _WHAT):
                batch = next(batches, None)
                found = frames.add(batch) if batch is not None else frames.rest()
            yield from found
            if batch is None:
                return
    finally:
        if file is not None:
            file.close()


class _Frames:
    """Collects rows of a tidy table to frames."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self._path, self._info = path, info
        card = info.card
        self._values = (*("x", "y", "z")[: info.dimensions], "confidence")
        points = {name: place for place, name in enumerate(card.skeleton.keypoints)}
        self._columns = {
            (animal, point): place * len(points) + at
            for place, animal in enumerate(card.individuals)
            for point, at in points.items()
        }
        unique = {(UNIQUE, name): len(self._columns) + place for place, name in enumerate(card.unique_keypoints)}
        self._columns |= unique
        self._only = card.individuals[0] if len(card.individuals) == 1 else None
        self._held: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._last = -1

    def columns(self, there: list[str]) -> list[str]:
        """Those of the columns that are read."""
        self._there = [name for name in ("frame", "time", "individual", "keypoint", *self._values) if name in there]
        return self._there

    def add(self, batch: Any) -> Iterator[PoseRows]:
        """Take the rows of a batch; returns the frames that are complete."""
        if not batch.num_rows:
            return iter(())
        numbers = _integers(batch.column("frame"))
        if (np.diff(numbers) < 0).any() or (self._held and numbers[0] < self._held[-1][0][-1]):
            raise DataError(
                f"{self._path} is not sorted by frame: sort its rows by the column frame, and write it again"
            )
        if numbers[0] < 0 or numbers[-1] >= _LAST_NUMBER:
            raise DataError(
                f"{self._path} has a frame with the number {int(numbers[0] if numbers[0] < 0 else numbers[-1])}"
            )
        values = np.full((batch.num_rows, len(self._values)), np.nan)
        for place, name in enumerate(self._values):
            if name in self._there:
                values[:, place] = _floats(batch.column(name))
            else:  # a table without confidences: what has a position was found
                values[:, place] = np.where(np.isnan(values[:, :place]).any(axis=1), 0.0, 1.0)
        seconds = _floats(batch.column("time")) if "time" in self._there else np.full(batch.num_rows, np.nan)
        self._held.append((numbers, seconds, self._places(batch), values))
        return self._taken(int(numbers[-1]))

    def rest(self) -> Iterator[PoseRows]:
        """The frames that are left."""
        return self._taken(_LAST_NUMBER)

    def _taken(self, before: int) -> Iterator[PoseRows]:
        """The held frames with a number below `before`."""
        if not self._held:
            return iter(())
        numbers, seconds, places, values = (np.concatenate(parts) for parts in zip(*self._held, strict=True))
        split = int(np.searchsorted(numbers, before))
        if before < _LAST_NUMBER and len(numbers) - split > len(self._columns):
            raise DataError(f"{self._path}: frame {int(numbers[-1])} has more rows than there are keypoints")
        self._held = (
            [(numbers[split:], seconds[split:], places[split:], values[split:])] if split < len(numbers) else []
        )
        return self._frames(numbers[:split], seconds[:split], places[:split], values[:split])

    def _frames(
        self,
        numbers: NDArray[np.int64],
        seconds: NDArray[np.float64],
        places: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> Iterator[PoseRows]:
        if not len(numbers):
            return
        frames, first, row = np.unique(numbers, return_index=True, return_inverse=True)
        cells = row * len(self._columns) + places
        if len(np.unique(cells)) < len(cells):
            order = np.sort(cells)
            twice = int(order[1:][np.diff(order) == 0][0]) // len(self._columns)
            raise DataError(f"{self._path}: frame {int(frames[twice])} has a keypoint of an individual twice")
        step, width = frames_at_once(self._info), len(self._columns)
        for at in range(0, len(frames), step):
            count = min(step, len(frames) - at)
            inside = slice(*np.searchsorted(row, (at, at + count)))
            table = np.full((count * width, len(self._values)), np.nan)
            table[:, -1] = 0.0
            table[cells[inside] - at * width] = values[inside]
            times = seconds[first[at : at + count]]
            yield split_rows(frames[at : at + count], times, table.reshape(count, -1), self._info)

    def _places(self, batch: Any) -> NDArray[np.int64]:
        """The keypoint of each row, as a place among all keypoints of a frame."""
        points, point = _names(batch.column("keypoint"))
        if "individual" in self._there:
            animals, animal = _names(batch.column("individual"))
        else:
            animals, animal = [self._only or ""], np.zeros(batch.num_rows, np.int64)
        table = np.array([[self._columns.get((one, name), -1) for name in points] for one in animals], np.int64)
        places: NDArray[np.int64] = table.reshape(len(animals), len(points))[animal, point]
        if (places < 0).any():
            row = int(np.argmax(places < 0))
            who, what = animals[animal[row]][:60], points[point[row]][:60]
            raise DataError(f"{self._path}: individual {who!r} has no keypoint {what!r} in the metadata")
        return places


def _names(column: Any) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct names of a column of text, and the place of each row's name among them."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if not (pa.types.is_string(coded.type.value_type) or pa.types.is_large_string(coded.type.value_type)):
        raise ValueError("names must be text")
    if coded.null_count:
        raise ValueError("a row has no name of an individual or a keypoint")
    return coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _integers(column: Any) -> NDArray[np.int64]:
    if column.null_count or not pa.types.is_integer(column.type):
        raise ValueError("the column frame must hold whole numbers")
    return column.to_numpy(zero_copy_only=False).astype(np.int64)


def _floats(column: Any) -> NDArray[np.float64]:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
