"""DeepLabCut's tables of every kind of project, in pandas' layouts and as CSV, are read as pandas reads them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from dlclive_io.deeplabcut.deeplabcut_format import DeepLabCutFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlclive_core import (
    DataError,
    ReadRecording,
    RecordingInfo,
    UsageError,
    foreign_card,
    split_rows,
)
from dlclive_core.testing import TableFormatContract

from .deeplabcut_tables import KINDS, flat, frame_of, header


def check(path: Path, table: pd.DataFrame, kind: str) -> None:
    assert DeepLabCutFormat().recognizes(path)
    recording = DeepLabCutFormat().read(path)
    numbers, values = flat(recording)
    there = ~table.isna().all(axis=1).to_numpy()
    np.testing.assert_array_equal(numbers, table.index[there])
    np.testing.assert_array_equal(values, table.to_numpy()[there])
    assert recording.frame_count == len(table)
    card = recording.info.card
    assert card.skeleton.keypoints == ("nose", "tail")
    assert card.multi_animal == (kind not in ("single", "live"))
    assert card.unique_keypoints == (("lever",) if kind == "unique" else ())
    assert card.scorer == ("dlclive" if kind.startswith("live") else "DLC_x")
    if kind in ("animals", "unique"):
        assert card.individuals == ("m1", "m2")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("key", "layout"),
    [("df_with_missing", "table"), ("df_with_missing", "fixed"), ("tracks", "table"), ("keypoints", "fixed")],
)
def test_hdf5_of_every_kind_and_layout(tmp_path: Path, kind: str, key: str, layout: str) -> None:
    path, table = tmp_path / "mouseDLC_x_el_filtered.h5", frame_of(kind)
    table.to_hdf(path, key=key, format=layout, mode="w")
    check(path, table, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_csv_of_every_kind(tmp_path: Path, kind: str) -> None:
    path, table = tmp_path / "mouse.csv", frame_of(kind)
    table.to_csv(path)
    check(path, table, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_csv_without_frame_numbers_as_deeplabcut_live_writes_it(tmp_path: Path, kind: str) -> None:
    """pandas writes no names of levels then, either."""
    path, table = tmp_path / "mouse.csv", frame_of(kind)
    table.to_csv(path, index=False)
    check(path, table, kind)


def test_columns_of_several_types_and_of_half_precision_stay_in_order(tmp_path: Path) -> None:
    table = frame_of("unique").fillna(1.0)
    table = table.astype(dict.fromkeys(table.columns[::2], np.float32))
    table[table.columns[1]] = np.arange(len(table))
    for layout in ("fixed", "table"):
        path = tmp_path / f"{layout}.h5"
        table.to_hdf(path, key="df_with_missing", format=layout, mode="w")
        np.testing.assert_array_equal(flat(DeepLabCutFormat().read(path))[1], table.to_numpy(float))


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_absent_animals_are_missing_and_frames_may_be_left_out(tmp_path: Path, suffix: str) -> None:
    table = frame_of("animals", 6).fillna(0.25)
    table.iloc[2, 6:] = -1.0
    table.iloc[4, 0] = -1.0  # x alone: a position outside of the picture
    table = table.drop(index=[1])
    path = tmp_path / f"mouse{suffix}"
    table.to_hdf(path, key="df_with_missing", mode="w") if suffix == ".h5" else table.to_csv(path)
    numbers, values = flat(DeepLabCutFormat().read(path))
    assert numbers.tolist() == [0, 2, 3, 4, 5]
    np.testing.assert_array_equal(values[1, 6:], [np.nan, np.nan, 0.0] * 2)
    np.testing.assert_array_equal(values[3], table.loc[4])


def test_animals_may_have_different_keypoints(tmp_path: Path) -> None:
    table = frame_of("unique", 4).fillna(0.5).drop(columns=[("DLC_x", "m2", "tail")])
    path = tmp_path / "mouse.h5"
    table.to_hdf(path, key="df_with_missing", mode="w")
    (rows,) = DeepLabCutFormat().read(path).blocks()
    np.testing.assert_array_equal(rows.keypoints[:, 1, 1], [[np.nan, np.nan, 0.0]] * 4)
    np.testing.assert_array_equal(rows.keypoints[:, 1, 0], table["DLC_x"]["m2"]["nose"])
    np.testing.assert_array_equal(rows.unique[:, 0], table["DLC_x"]["single"]["lever"])


def labels(names: Sequence[str], *, split: bool) -> pd.DataFrame:
    columns = header("single", ("x", "y")).set_levels(["Me"], level="scorer")
    values = np.arange(len(names) * 4, dtype=float).reshape(len(names), 4)
    values[1, :2] = np.nan
    index = pd.MultiIndex.from_tuples([tuple(name.split("/")) for name in names]) if split else list(names)
    return pd.DataFrame(values, columns=columns, index=index)


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_labels_are_frames_with_the_numbers_of_their_images(tmp_path: Path, suffix: str, split: bool) -> None:
    names = [f"labeled-data/reach/img{number:04d}.png" for number in (12, 3, 7)]
    table, path = labels(names, split=split), tmp_path / f"CollectedData_Me{suffix}"
    table.to_hdf(path, key="keypoints", mode="w") if suffix == ".h5" else table.to_csv(path)
    recording = DeepLabCutFormat().read(path)
    numbers, values = flat(recording)
    assert numbers.tolist() == [3, 7, 12]
    np.testing.assert_array_equal(values[0], [np.nan, np.nan, 0, 6, 7, 1])
    np.testing.assert_array_equal(values[2], [0, 1, 1, 2, 3, 1])
    assert (recording.info.source, recording.frame_count, recording.info.card.scorer) == ("reach", 13, "Me")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["labeled-data/a/img1.png", "labeled-data/b/img2.png"], "several videos .*labeled-data/a"),
        (["labeled-data/a/img1.png", "labeled-data/a/img01.png"], "two images of frame 1"),
        (["labeled-data/a/one.png", "labeled-data/a/two.png"], "'labeled-data/a/one.png', without a frame number"),
    ],
)
def test_labels_that_are_not_frames_of_one_video_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    path = tmp_path / "CollectedData_Me.csv"
    labels(names, split=False).to_csv(path)
    with pytest.raises(DataError, match=message):
        DeepLabCutFormat().read(path)


def test_a_table_in_space(tmp_path: Path) -> None:
    table = pd.DataFrame(np.arange(12.0).reshape(2, 6), columns=header("single", ("x", "y", "z")))
    path = tmp_path / "mouse_3d.h5"
    table.to_hdf(path, key="df_with_missing", mode="w")
    recording = DeepLabCutFormat().read(path)
    assert (recording.info.dimensions, recording.info.unit) == (3, "")
    np.testing.assert_array_equal(flat(recording)[1], [[0, 1, 2, 1, 3, 4, 5, 1], [6, 7, 8, 1, 9, 10, 11, 1]])


# ---- there and back


NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
NUMBERS = st.floats(allow_nan=True, allow_infinity=False, width=64)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[RecordingInfo, np.ndarray, np.ndarray]:
    """The description, frame numbers and flat values of a recording."""
    unique = lambda most: st.lists(NAMES, min_size=0, max_size=most, unique=True)  # noqa: E731
    animals = [name for name in draw(unique(3)) if name.lower() != "single"]
    keypoints = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    points = draw(unique(2)) if len(animals) else []
    card = foreign_card(Path("x"), keypoints, individuals=animals, unique_keypoints=points, scorer=draw(NAMES))
    dimensions = draw(st.sampled_from([2, 3]))
    info = RecordingInfo(card=card, dimensions=dimensions, unit="px" if dimensions == 2 else "")
    numbers = np.array(sorted(draw(st.sets(st.integers(0, 40), max_size=8))), np.int64)
    columns = (len(card.individuals) * len(keypoints) + len(points)) * (dimensions + 1)
    values = draw(arrays.arrays(np.float64, (len(numbers), columns), elements=NUMBERS))
    return info, numbers, values


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
@given(content=recordings())
@settings(max_examples=60, deadline=None)
def test_what_is_written_reads_back_to_the_last_bit(
    suffix: str, content: tuple[RecordingInfo, np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    info, numbers, values = content
    columns = info.dimensions + 1
    parts = values.reshape(len(values), values.shape[1] // columns, columns)
    parts[(parts == -1).all(axis=-1)] = 0.0  # which is how DeepLabCut writes a missing animal
    path = tmp_path_factory.mktemp("table") / f"poses{suffix}"
    recording = ReadRecording(info, 41, lambda: iter([split_rows(numbers, None, values, info)] if len(numbers) else []))
    assert DeepLabCutFormat().write(recording, path) == (path,)
    back = DeepLabCutFormat().read(path)
    assert back.info.card == info.card
    assert (back.info.dimensions, back.info.unit) == (info.dimensions, info.unit)
    assert back.frame_count == 41
    there = ~np.isnan(values).all(axis=1)
    read_numbers, read_values = flat(back)
    np.testing.assert_array_equal(read_numbers, numbers[there])
    if there.any():
        np.testing.assert_array_equal(read_values, values[there])


def test_pandas_reads_what_is_written(tmp_path: Path) -> None:
    for kind, suffix in itertools.product(("single", "unique"), (".h5", ".csv")):
        source, table = tmp_path / "source.h5", frame_of(kind, 600)
        table.to_hdf(source, key="df_with_missing", mode="w")
        path = tmp_path / f"{kind}{suffix}"
        DeepLabCutFormat().write(DeepLabCutFormat().read(source), path)
        levels = list(range(table.columns.nlevels))
        back = pd.read_hdf(path) if suffix == ".h5" else pd.read_csv(path, header=levels, index_col=0)
        pd.testing.assert_frame_equal(back, table, check_exact=True, check_column_type=False)


def test_a_very_wide_table_reads_back(tmp_path: Path) -> None:
    card = foreign_card(
        Path("x"),
        [f"keypoint_{number}" for number in range(40)],
        individuals=[f"mouse{number}" for number in range(32)],
    )
    info = RecordingInfo(card=card)
    values = np.random.default_rng(0).uniform(0, 1000, (700, 40 * 32 * 3))
    recording = ReadRecording(info, 700, lambda: iter([split_rows(np.arange(700), None, values, info)]))
    path = tmp_path / "wide.h5"
    DeepLabCutFormat().write(recording, path)
    with tables.open_file(str(path)) as file:
        assert "table" not in file.root.df_with_missing
    np.testing.assert_array_equal(flat(DeepLabCutFormat().read(path))[1], values)


def test_options_and_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "mouse.csv"
    frame_of("single").to_csv(path)
    recording = DeepLabCutFormat().read(path)
    DeepLabCutFormat(scorer="DLC_other").write(recording, tmp_path / "other.h5")
    assert DeepLabCutFormat().read(tmp_path / "other.h5").info.card.scorer == "DLC_other"
    with pytest.raises(UsageError, match=r"must end in \.h5 or \.csv"):
        DeepLabCutFormat().write(recording, tmp_path / "other.nwb")
    info = RecordingInfo(card=foreign_card(path, ["a"], individuals=["single"], unique_keypoints=["b"]))
    with pytest.raises(UsageError, match="rename it"):
        DeepLabCutFormat().check(info)


class TestHdf5(TableFormatContract):
    suffix = ".h5"
    tolerance = 0.0

    @pytest.fixture
    def format(self) -> DeepLabCutFormat:
        return DeepLabCutFormat()


class TestCsv(TestHdf5):
    suffix = ".csv"
