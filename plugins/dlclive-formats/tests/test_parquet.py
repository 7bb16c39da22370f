"""Tidy tables in Parquet: exact there and back, readable as others write them, one line where they are wrong."""

from __future__ import annotations

import json
import tracemalloc
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlclive_formats.parquet.parquet_format import ParquetFormat
from dlclive_formats.rows import BLOCK, frames_at_once
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlclive_core import DataError, PoseRecording, ReadRecording, RecordingInfo, foreign_card, split_rows
from tests.pose_recordings import card

NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
STARTED = datetime(2026, 5, 4, 3, 2, 1, 999, tzinfo=timezone.utc)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[RecordingInfo, np.ndarray, np.ndarray, np.ndarray]:
    """The description, frame numbers, times and flat values of a recording."""
    animals = [name for name in draw(st.lists(NAMES, max_size=3, unique=True)) if name != "single"]
    keypoints = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    points = draw(st.lists(NAMES, max_size=2, unique=True))
    edges = [(0, len(keypoints) - 1)] if len(keypoints) > 1 else []
    card = foreign_card(
        Path("x"), keypoints, edges=edges, individuals=animals, unique_keypoints=points, scorer=draw(NAMES)
    )
    dimensions = draw(st.sampled_from([2, 3]))
    info = RecordingInfo(
        card=card,
        source=draw(st.text(max_size=5)),
        frame_size=draw(st.sampled_from([None, (640, 480)])),
        fps=draw(st.sampled_from([None, 29.97])),
        has_times=draw(st.booleans()),
        started_at=draw(st.sampled_from([None, STARTED])),
        dimensions=dimensions,
        unit="px" if dimensions == 2 else "mm",
    )
    numbers = np.array(sorted(draw(st.sets(st.integers(0, 2**40), max_size=8))), np.int64)
    columns = (len(card.individuals) * len(keypoints) + len(points)) * (dimensions + 1)
    floats = st.floats(allow_infinity=True, width=64)
    values = draw(arrays.arrays(np.float64, (len(numbers), columns), elements=floats))
    seconds = draw(arrays.arrays(np.float64, len(numbers), elements=st.floats(0, 1e6) | st.just(np.nan)))
    return info, numbers, seconds, values


def whole(recording: PoseRecording) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    blocks = list(recording.blocks())
    if not blocks:
        return np.empty(0, np.int64), np.empty(0), np.empty((0, 0))
    return tuple(
        np.concatenate(parts) for parts in zip(*((b.numbers, b.seconds, b.flat()) for b in blocks), strict=True)
    )


@given(content=recordings())
@settings(max_examples=60, deadline=None)
def test_what_is_written_reads_back_to_the_last_bit(
    content: tuple[RecordingInfo, np.ndarray, np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    info, numbers, seconds, values = content
    path = tmp_path_factory.mktemp("table") / "poses.parquet"
    count = int(numbers.max(initial=-1)) + 3
    blocks = [split_rows(numbers, seconds, values, info)] if len(numbers) else []
    assert ParquetFormat().write(ReadRecording(info, count, lambda: iter(blocks)), path) == (path,)
    assert ParquetFormat().recognizes(path)
    back = ParquetFormat().read(path)
    assert back.info == info
    assert back.frame_count == count
    read_numbers, read_seconds, read_values = whole(back)
    np.testing.assert_array_equal(read_numbers, numbers)
    np.testing.assert_array_equal(read_seconds, seconds)
    if len(numbers):
        np.testing.assert_array_equal(read_values, values)


def test_a_long_recording_is_read_in_blocks_across_row_groups(tmp_path: Path) -> None:
    info = RecordingInfo(card=foreign_card(Path("x"), [f"k{number}" for number in range(30)], individuals=["a", "b"]))
    values = np.random.default_rng(0).uniform(0, 1000, (5000, 180))

    def blocks():
        for at in range(0, 5000, 250):
            yield split_rows(np.arange(at, at + 250) * 3, None, values[at : at + 250], info)

    path = tmp_path / "poses.parquet"
    ParquetFormat().write(ReadRecording(info, 15_000, blocks), path)
    assert pq.ParquetFile(path).num_row_groups > 1
    recording = ParquetFormat().read(path)
    assert max(len(block) for block in recording.blocks()) <= 256
    numbers, _, read = whole(recording)
    np.testing.assert_array_equal(numbers, np.arange(5000) * 3)
    np.testing.assert_array_equal(read, values)


def tidy(frames: int = 3) -> pd.DataFrame:
    """What a lab makes itself."""
    return pd.DataFrame(
        [
            (frame, frame / 50, animal, point, frame + 0.5, frame + 1.5, 0.75)
            for frame in range(frames)
            for animal in ("m1", "m2")
            for point in ("nose", "tail")
        ],
        columns=["frame", "time", "individual", "keypoint", "x", "y", "confidence"],
    )


def test_a_table_that_pandas_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    tidy().to_parquet(path)
    recording = ParquetFormat().read(path)
    card = recording.info.card
    assert (card.individuals, card.skeleton.keypoints, card.multi_animal) == (("m1", "m2"), ("nose", "tail"), True)
    assert recording.info.has_times
    numbers, seconds, values = whole(recording)
    assert numbers.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(seconds, [0, 0.02, 0.04])
    np.testing.assert_array_equal(values[2], [2.5, 3.5, 0.75] * 4)


def test_rows_that_are_not_there_are_missing_keypoints(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    table = tidy().drop(columns=["confidence", "time"])
    table.loc[4, "x"] = np.nan
    table.drop(index=[0, 11]).to_parquet(path)
    recording = ParquetFormat().read(path)
    assert not recording.info.has_times
    numbers, seconds, values = whole(recording)
    values = values.reshape(3, 4, 3)
    assert numbers.tolist() == [0, 1, 2]
    assert np.isnan(seconds).all()
    order = [recording.info.card.skeleton.index(name) for name in ("nose", "tail")]
    np.testing.assert_array_equal(values[0, order[0]], [np.nan, np.nan, 0])
    np.testing.assert_array_equal(values[0, order[1]], [0.5, 1.5, 1])
    np.testing.assert_array_equal(values[1, order[0]], [np.nan, 2.5, 0])


def test_a_table_of_one_animal_needs_no_names(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    table = tidy()
    table[table.individual == "m1"].drop(columns="individual").to_parquet(path)
    recording = ParquetFormat().read(path)
    assert recording.info.card.multi_animal is False
    assert whole(recording)[2].shape == (3, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.sort_values("keypoint", kind="stable"), "sort its rows by the column frame"),
        (lambda t: pd.concat([t.head(1), t]), "frame 0 has a keypoint of an individual twice"),
        (lambda t: pd.concat([t, t.tail(1)]), "frame 2 has more rows than there are keypoints"),
        (lambda t: t.assign(frame=t.frame + 0.5), "frame must hold whole numbers"),
        (lambda t: t.assign(frame=t.frame - 1), "a frame with the number -1"),
        (lambda t: t.assign(keypoint=1), "names must be text"),
        (lambda t: t.assign(individual=None), "names must be text|no name of an individual"),
        (lambda t: t.assign(x="here"), "cannot be read"),
        (lambda t: t.drop(columns="x"), "it has no column x"),
        (lambda t: t.assign(keypoint="a\nb"), "contains a control character"),
        (lambda t: t.assign(keypoint=[f"k{n}" for n in range(len(t))]).sample(0), None),
    ],
)
def test_a_table_that_is_not_tidy_is_one_line(tmp_path: Path, change, message: str | None) -> None:
    path = tmp_path / "poses.parquet"
    change(tidy()).to_parquet(path, index=False)
    if message is None:  # no rows, and so no names
        assert whole(ParquetFormat().read(path))[0].size == 0
        return
    with pytest.raises(DataError, match=message) as raised:
        whole(ParquetFormat().read(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "facts",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"version": 99}',
        b'{"version": 1, "keypoints": 3}',
        b"\xff\xfe",
    ],
)
def test_damaged_metadata_is_one_line(tmp_path: Path, facts: bytes) -> None:
    path = tmp_path / "poses.parquet"
    pq.write_table(pa.Table.from_pandas(tidy()).replace_schema_metadata({"dlclive": facts}), path)
    with pytest.raises(DataError) as raised:
        ParquetFormat().read(path)
    assert "\n" not in str(raised.value)


def test_names_that_the_metadata_does_not_have_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    tidy().to_parquet(tmp_path / "tidy.parquet")
    ParquetFormat().write(ParquetFormat().read(tmp_path / "tidy.parquet"), path)
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"dlclive"])
    metadata["keypoints"] = ["nose", "paw"]
    pq.write_table(table.replace_schema_metadata({"dlclive": json.dumps(metadata)}), path)
    with pytest.raises(DataError, match="individual 'm1' has no keypoint 'tail' in the metadata"):
        whole(ParquetFormat().read(path))


def test_any_beginning_and_any_damage_of_a_file_is_one_line_or_a_table(tmp_path: Path) -> None:
    path = tmp_path / "poses.parquet"
    tidy(40).to_parquet(path)
    data = path.read_bytes()
    random = np.random.default_rng(0)
    for number in range(120):
        damaged = bytearray(data)
        if number < 40:
            damaged = damaged[: len(data) * number // 40]
        else:
            for at in random.integers(0, len(data), 4):
                damaged[at] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        ParquetFormat().recognizes(path)
        try:
            whole(ParquetFormat().read(path))
        except DataError as error:
            message = str(error)
        else:
            message = ""
        assert "\n" not in message


def test_many_names_in_a_small_file_take_little_memory(tmp_path: Path) -> None:
    """A thousand animals and a thousand keypoints are 24 MB for each frame, even if each animal has one keypoint only."""
    names, frames = [f"n{number}" for number in range(1000)], 200
    table = pa.table(
        {
            "frame": np.repeat(np.arange(frames), len(names) // frames),
            "individual": names,
            "keypoint": names,
            "x": np.ones(len(names)),
            "y": np.ones(len(names)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    recording = ParquetFormat().read(tmp_path / "a.parquet")
    tracemalloc.start()
    try:
        block = next(iter(recording.blocks()))
        assert len(block) == 1
        assert tracemalloc.get_traced_memory()[1] < 300 << 20  # all frames together: 4.8 GB
    finally:
        tracemalloc.stop()
    assert np.isfinite(block.keypoints[0, :, :, 0]).sum() == len(names) // frames


def test_a_block_has_fewer_frames_where_there_are_many_keypoints() -> None:
    for points, frames in ((4, BLOCK), (1000, 1)):
        names = tuple(f"n{number}" for number in range(points))
        assert frames_at_once(RecordingInfo(card=card(names, names, edges=()))) == frames
