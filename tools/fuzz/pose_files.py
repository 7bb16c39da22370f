"""Valid tables of finished poses, in every format that is installed, and what reads them."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tables

from dlclive_core import (
    FormatInfo,
    PluginCatalog,
    ReadRecording,
    RecordingInfo,
    TableFormat,
    UsageError,
    foreign_card,
    split_rows,
)
from tools.fuzz.seeds import KEYPOINTS

_MOST_BLOCKS = 1_000
"""A file of a few kilobytes has few; a format that goes on may do so, in bounded memory."""


def formats() -> list[FormatInfo]:
    """The formats with files of their own, whose libraries are installed."""
    infos = PluginCatalog.installed().components(FormatInfo)
    return [info for info in infos if info.writes and not missing_of(info) and info.suffixes[0].startswith(".")]


def missing_of(info: FormatInfo) -> bool:
    """Whether a library of a format is not installed."""
    return any(find_spec(name) is None for name in info.requires)


def files(info: FormatInfo) -> list[bytes]:
    """Recordings of one animal and of two, in each of the format's suffixes."""
    made = []
    with TemporaryDirectory() as folder:
        for suffix in info.suffixes:
            for number, recording in enumerate(_recordings()):
                try:
                    written = _format(info.name).write(recording, Path(folder) / f"{number}{suffix}")
                except UsageError:  # the format does not hold such recordings
                    continue
                made += [path.read_bytes() for path in written]
    return made


def reader(info: FormatInfo) -> Callable[[bytes, Path], object]:
    """Read all of a file, as a conversion does."""

    def read(data: bytes, folder: Path) -> None:
        path = folder / f"poses{info.suffixes[0]}"
        path.write_bytes(data)
        format = _format(info.name)
        is_known = format.recognizes(path)
        for blocks, rows in enumerate(format.read(path).blocks()):
            assert rows.flat().shape[0] == len(rows) > 0
            if blocks > _MOST_BLOCKS:
                break
        assert is_known, "a file that can be read is not recognised"

    return read


def coco_values() -> list[Any]:
    """The values of data sets."""
    with TemporaryDirectory() as folder:
        written = [_format("coco").write(it, Path(folder) / f"{at}.json")[0] for at, it in enumerate(_recordings())]
        return [json.loads(path.read_bytes()) for path in written]


def openpose_frames() -> list[Any]:
    """The first frames of recordings, which also describe them; one without that is as another program writes it."""
    with TemporaryDirectory() as folder:
        written = [_format("openpose").write(it, Path(folder) / f"{at}_json")[0] for at, it in enumerate(_recordings())]
        frames = [json.loads(min(path.iterdir()).read_bytes()) for path in written]
    return [*frames, {name: value for name, value in frames[0].items() if name != "dlclive"}]


def read_openpose(data: bytes, folder: Path) -> None:
    """Read a folder with this frame and one that is sound."""
    frames = folder / "maze_json"
    frames.mkdir(exist_ok=True)  # a campaign reads all inputs in one folder
    (frames / "maze_000000000000_keypoints.json").write_bytes(data)
    sound = {"version": 1.3, "people": []}
    (frames / "maze_000000000001_keypoints.json").write_text(json.dumps(sound), encoding="utf-8")
    format = _format("openpose")
    format.recognizes(frames)
    for rows in format.read(frames).blocks():
        assert rows.flat().shape[0] == len(rows) > 0


def deeplabcut_headers() -> list[Any]:
    """What pandas keeps of a table, in attributes."""
    columns = [
        ["D", animal, point, axis] for animal in "ab" for point in KEYPOINTS for axis in ("x", "y", "likelihood")
    ]
    names = ["scorer", "individuals", "bodyparts", "coords"]
    return [
        {"names": names, "columns": columns, "values_cols": ["values_block_0"], "kind": columns, "type": "frame_table"}
    ]


def deeplabcut_file(header: Any, random: Random) -> bytes:
    """A table whose attributes hold these values, as pandas pickles them."""

    def pickled(value: Any) -> np.bytes_:
        return np.bytes_(pickle.dumps(value, random.choice((0, 0, 2)))[:60_000])  # HDF5 takes no longer ones

    values = header if isinstance(header, dict) else {}
    columns = _tuples(values.get("columns"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.h5"
        with tables.open_file(str(path), "w") as file:
            group = file.create_group("/", "df_with_missing")
            layout = {"index": tables.Int64Col(pos=0), "values_block_0": tables.Float64Col(shape=(24,), pos=1)}
            table = file.create_table(group, "table", layout)
            table.append([(number, np.linspace(0, 9, 24)) for number in range(5)])
            group._v_attrs.pandas_type = str(values.get("type"))[:50].encode("utf-8", "replace").decode()
            group._v_attrs.info = pickled({1: {"names": values.get("names"), "type": "MultiIndex"}})
            group._v_attrs.non_index_axes = pickled([(1, columns)])
            group._v_attrs.values_cols = pickled(values.get("values_cols"))
            table._v_attrs.values_block_0_kind = pickled(_tuples(values.get("kind")))
        return path.read_bytes()


def parquet_facts() -> list[Any]:
    """The metadata of a Parquet table."""
    from dlclive_formats.recording_facts import to_facts

    return [{**to_facts(next(iter(_recordings())).info), "frame_count": 20}]


def parquet_file(facts: Any, random: Random) -> bytes:
    """A table with this metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [(frame, animal, point) for frame in range(4) for animal in ("a", "b") for point in KEYPOINTS]
    table = pa.table(
        {
            "frame": [frame for frame, _, _ in rows],
            "individual": [animal for _, animal, _ in rows],
            "keypoint": [point for _, _, point in rows],
            **{axis: np.linspace(0, 9, len(rows)) for axis in ("x", "y", "confidence")},
        }
    )
    file = io.BytesIO()
    text = json.dumps(facts).encode("utf-8", "surrogatepass")
    pq.write_table(table.replace_schema_metadata({b"dlclive": text}), file)
    return file.getvalue()


def _recordings() -> list[ReadRecording]:
    edges = ((0, 1), (0, 2), (1, 3))
    several = foreign_card(Path("x"), KEYPOINTS, edges=edges, individuals=("a", "b"), scorer="DLC_Dlcrnet_maze")
    unique = foreign_card(Path("x"), KEYPOINTS, individuals=("a", "b"), unique_keypoints=("lever",))
    single = foreign_card(Path("x"), KEYPOINTS, edges=edges)
    started = datetime(2026, 1, 1, tzinfo=timezone.utc)
    made = []
    for card in (several, single, unique):
        info = RecordingInfo(
            card=card, source="maze.mp4", frame_size=(640, 480), fps=30.0, has_times=True, started_at=started
        )
        columns = 3 * (len(card.individuals) * len(KEYPOINTS) + len(card.unique_keypoints))
        values = np.linspace(0, 400, 20 * columns).reshape(20, columns)
        values[:, 2::3] = 0.9
        values[3, :3] = (np.nan, np.nan, 0.0)
        rows = split_rows(np.arange(20), np.arange(20) / 30, values, info)
        made.append(ReadRecording(info, 20, lambda rows=rows: iter([rows])))  # type: ignore[misc]
    return made


@cache
def _format(name: str) -> TableFormat:
    format: TableFormat = PluginCatalog.installed().build(FormatInfo, name)
    return format


def _tuples(columns: Any) -> Any:
    """Columns as pandas has them; what a change has made of them is left as it is."""
    if not isinstance(columns, list):
        return columns
    return [tuple(column) if isinstance(column, list) else column for column in columns]
