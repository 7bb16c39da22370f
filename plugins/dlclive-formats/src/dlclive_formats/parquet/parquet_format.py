"""Poses as a tidy table in a Parquet file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dlclive_core import PoseRecording, PoseRows, RecordingInfo, TableFormat, UsageError
from dlclive_formats.parquet.read_parquet import COUNT, METADATA, UNIQUE, is_tidy_table, read_parquet
from dlclive_formats.recording_facts import to_facts

SUFFIX = ".parquet"

_GROUP_ROWS = 131_072  # of a row group, the unit that readers load


class ParquetFormat(TableFormat):
    """Tidy: one row for each keypoint of each animal in each frame, as pandas, polars, R and DuckDB group and plot it.

    Columns: `frame` int64; `time` float64, seconds from the start of the recording; `individual` and `keypoint`, text in a
    dictionary (pandas: categories); `x`, `y` (and `z`) float64, in the unit of the metadata; `confidence` float64. What is
    missing is null, which pandas reads as NaN. Rows are sorted by frame. Unique keypoints belong to the individual "single".

    The schema's metadata has, under `dlclive`, JSON with the skeleton's edges, scorer, source, fps, number and size of the
    frames, unit, and wall time of the start.
    """

    def recognizes(self, path: Path) -> bool:
        """Whether it is a Parquet file with the columns frame, keypoint, x and y."""
        return is_tidy_table(path)

    def read(self, path: Path) -> PoseRecording:
        """Open a tidy table; also one that another program wrote, if it is sorted by frame. Raises DataError."""
        return read_parquet(path)

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError if an animal has the name under which unique keypoints are written."""
        if info.card.unique_keypoints and UNIQUE in info.card.individuals:
            raise UsageError(
                f"an animal named {UNIQUE!r} cannot be told from unique keypoints in Parquet; write .h5 or .csv"
            )

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a recording. Raises DataError, OSError."""
        rows = _TidyRows(recording.info, recording.frame_count)
        with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
            held: list[Any] = []
            for block in recording.blocks():
                held.append(rows.table(block))
                if sum(table.num_rows for table in held) >= _GROUP_ROWS:
                    writer.write_table(pa.concat_tables(held), row_group_size=_GROUP_ROWS)
                    held = []
            writer.write_table(pa.concat_tables(held) if held else rows.schema.empty_table())
        return (path,)


class _TidyRows:
    """Makes Arrow tables of blocks."""

    def __init__(self, info: RecordingInfo, frame_count: int) -> None:
        card = info.card
        points = card.skeleton.keypoints
        pairs = [(animal, point) for animal in card.individuals for point in points]
        pairs += [(UNIQUE, point) for point in card.unique_keypoints]
        self._individuals, self._individual = _coded([animal for animal, _ in pairs])
        self._keypoints, self._keypoint = _coded([point for _, point in pairs])
        self._axes = ("x", "y", "z")[: info.dimensions]
        text = pa.dictionary(pa.int32(), pa.string())
        values = [(axis, pa.float64()) for axis in (*self._axes, "confidence")]
        columns = [("frame", pa.int64()), ("time", pa.float64()), ("individual", text), ("keypoint", text), *values]
        self.schema = pa.schema(columns, metadata={METADATA: json.dumps({**to_facts(info), COUNT: frame_count})})

    def table(self, rows: PoseRows) -> Any:
        """The rows of a block."""
        count, points = len(rows), len(self._keypoint)
        columns = len(self._axes) + 1
        values = rows.flat().reshape(count * points, columns)
        arrays = [
            pa.array(np.repeat(rows.numbers, points)),
            _nullable(np.repeat(rows.seconds, points)),
            pa.DictionaryArray.from_arrays(pa.array(np.tile(self._individual, count)), self._individuals),
            pa.DictionaryArray.from_arrays(pa.array(np.tile(self._keypoint, count)), self._keypoints),
            *(_nullable(np.ascontiguousarray(values[:, axis])) for axis in range(columns)),
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _coded(names: list[str]) -> tuple[Any, NDArray[np.int32]]:
    """The distinct names, and the place of each name among them."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return pa.array(list(places), pa.string()), np.array([places[name] for name in names], np.int32)


def _nullable(values: NDArray[np.float64]) -> Any:
    return pa.array(values, mask=np.isnan(values))
