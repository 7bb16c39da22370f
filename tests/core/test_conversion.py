"""Writing a recording whole or not at all; which format reads and writes what; times and names that are added."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dlclive_core import (
    DataError,
    DependencyError,
    FormatInfo,
    OutputExistsError,
    PluginCatalog,
    PluginError,
    PoseRecording,
    PoseRows,
    ReadRecording,
    RecordingInfo,
    Skeleton,
    TableFormat,
    UsageError,
    convert_poses,
    foreign_card,
    split_rows,
    write_recording,
)
from dlclive_core.conversion.choose_format import reader_of, target_of
from dlclive_core.conversion.more_facts import (
    DescribedRecording,
    TimedRecording,
    TimesTable,
    as_card_of_run,
    with_model,
)
from dlclive_core.machine.known_packages import FORMAT_SUFFIXES, PROVIDERS
from dlclive_core.plugins.catalog import Plugin

CARD = foreign_card(Path("x"), ("a", "b"), individuals=("m1", "m2"), unique_keypoints=("lever",))
INFO = RecordingInfo(card=CARD)


def recording(info: RecordingInfo = INFO, count: int = 4) -> PoseRecording:
    columns = (len(info.card.individuals) * len(info.card.skeleton) + len(info.card.unique_keypoints)) * 3
    values = np.arange(count * columns, dtype=np.float64).reshape(count, columns)
    return ReadRecording(info, count, lambda: iter([split_rows(np.arange(count), None, values, info)]))


class Text(TableFormat):
    """The numbers as text; one file, or one for each animal."""

    def __init__(self, each: bool = False, fails: bool = False, strays: bool = False) -> None:
        self.each, self.fails, self.strays = each, fails, strays

    def recognizes(self, path: Path) -> bool:
        return path.is_file() and path.read_bytes().startswith(b"poses")

    def read(self, path: Path) -> PoseRecording:
        if not self.recognizes(path):
            raise DataError(f"{path} does not begin with poses")
        return recording()

    def outputs(self, info: RecordingInfo, path: Path) -> tuple[Path, ...]:
        names = info.card.individuals if self.each else ("",)
        return tuple(path.with_stem(f"{path.stem}_{name}") if name else path for name in names)

    def check(self, info: RecordingInfo) -> None:
        if info.dimensions == 3:
            raise UsageError("no poses in space")

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        files = self.outputs(recording.info, path)
        for file in files:
            file.write_text("poses " + str([rows.flat().sum() for rows in recording.blocks()]))
            if self.fails:
                raise OSError(28, "No space left on device")
        return (Path("/elsewhere"),) if self.strays else files


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_values_of_a_block_are_those_of_its_flat_rows() -> None:
    (rows,) = recording().blocks()
    assert (rows.keypoints.shape, rows.unique.shape) == ((4, 2, 2, 3), (4, 1, 3))
    np.testing.assert_array_equal(rows.flat(), np.arange(60.0).reshape(4, 15))
    empty = PoseRows(rows.numbers[:0], rows.seconds[:0], rows.keypoints[:0], rows.unique[:0])
    assert empty.flat().shape == (0, 15)


def test_files_appear_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    assert write_recording(Text(), recording(), tmp_path / "out.txt") == (tmp_path / "out.txt",)
    assert write_recording(Text(each=True), recording(), tmp_path / "out.txt") == (
        tmp_path / "out_m1.txt",
        tmp_path / "out_m2.txt",
    )
    assert names(tmp_path) == ["out.txt", "out_m1.txt", "out_m2.txt"]


def test_an_existing_file_is_not_replaced_and_none_is_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "out_m2.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="out_m2"):
        write_recording(Text(each=True), recording(), tmp_path / "out.txt")
    assert names(tmp_path) == ["out_m2.txt"]
    write_recording(Text(each=True), recording(), tmp_path / "out.txt", overwrite=True)
    assert (tmp_path / "out_m2.txt").read_text().startswith("poses")


def test_a_file_that_appears_meanwhile_is_not_replaced_and_its_neighbours_do_not_stay(tmp_path: Path) -> None:
    class Late(Text):
        def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
            files = super().write(recording, path)
            (tmp_path / "out_m2.txt").write_text("mine")
            return files

    with pytest.raises(OutputExistsError, match="out_m2"):
        write_recording(Late(each=True), recording(), tmp_path / "out.txt")
    assert (tmp_path / "out_m2.txt").read_text() == "mine"
    assert names(tmp_path) == ["out_m2.txt"]


@pytest.mark.parametrize(
    ("format", "kind", "message"),
    [
        (Text(fails=True), DataError, "cannot write .*out.txt: No space left"),
        (Text(strays=True), DataError, "not in the folder it was given"),
    ],
)
def test_a_format_that_fails_leaves_nothing_and_the_old_file(
    tmp_path: Path, format: Text, kind: type[Exception], message: str
) -> None:
    (tmp_path / "out.txt").write_text("old")
    with pytest.raises(kind, match=message):
        write_recording(format, recording(), tmp_path / "out.txt", overwrite=True)
    assert (tmp_path / "out.txt").read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_what_a_format_cannot_hold_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no poses in space"):
        write_recording(Text(), recording(INFO.with_(dimensions=3)), tmp_path / "missing" / "out.txt")
    with pytest.raises(DataError, match="create it first"):
        write_recording(Text(), recording(), tmp_path / "missing" / "out.txt")
    assert names(tmp_path) == []


# ---- which format


def catalog(*infos: FormatInfo) -> PluginCatalog:
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=infos)])


HERE = "lab_formats:Text"
TEXT = FormatInfo(name="text", summary="x", factory=HERE, suffixes=(".txt", ".csv"))
LONG = FormatInfo(name="long", summary="x", factory=HERE, suffixes=(".analysis.txt",))
FIRST = FormatInfo(name="first", summary="x", factory=HERE, suffixes=(".csv",), preference=1)
READ = FormatInfo(name="read", summary="x", factory=HERE, suffixes=(".poses",), writes=False)
ABSENT = FormatInfo(
    name="absent",
    summary="x",
    factory=HERE,
    suffixes=(".abs",),
    requires=("no_such_library",),
    install_hint="pip install it",
)


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with the class above, from which the catalogue takes it."""
    module = ModuleType("lab_formats")
    module.Text = Text  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lab_formats", module)
    return module


@pytest.mark.parametrize(
    ("target", "to", "format", "path"),
    [
        ("out.txt", None, "text", "out.txt"),
        ("OUT.TXT", None, "text", "OUT.TXT"),
        ("a.b.analysis.txt", None, "long", "a.b.analysis.txt"),
        ("out.csv", None, "first", "out.csv"),
        ("text:out.csv,each=true", None, "text", "out.csv"),
        ("text:each=true,path=out.x", None, "text", "out.x"),
        ("out.x", "text", "text", "out.x"),
        ("out.x", "text:each=true", "text", "out.x"),
        ("c:out.txt", None, "text", "c:out.txt"),
    ],
)
def test_the_suffix_or_a_name_selects_the_format(target: str, to: str | None, format: str, path: str) -> None:
    wanted = target_of(target, to, catalog(TEXT, LONG, FIRST))
    assert (wanted.name, wanted.path) == (format, Path(path))
    assert wanted.format.each is ("each=true" in target or "each=true" in (to or ""))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("target", "to", "kind", "message"),
    [
        ("out.tx", None, UsageError, "suffix '.tx' .*did you mean '.txt'"),
        ("out", None, UsageError, "a name without suffix"),
        ("texd:out.csv", None, PluginError, "no format 'texd': did you mean 'text'"),
        ("text:out.csv", "text", UsageError, "leave out --to"),
        ("text:out.csv,eech=1", None, UsageError, "did you mean 'each'"),
        ("text:each=true", None, UsageError, "does not name a file"),
        ("read:out.x", None, UsageError, "'read' is only read; formats that are written: absent, text"),
        ("out.abs", None, DependencyError, "absent' needs no_such_library, not installed; run: pip install it"),
        ("out.parquet", None, DependencyError, "written by dlclive-formats, which is not installed; run: pip install"),
        ("parquet:out.x", None, DependencyError, "dlclive-formats, which is not installed"),
    ],
)
def test_what_selects_no_format_is_one_line(target: str, to: str | None, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        target_of(target, to, catalog(TEXT, READ, ABSENT))


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "poses.dat"
    path.write_text("poses [1]")
    assert reader_of(path, catalog(ABSENT, TEXT))[0] is TEXT


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("a.dat", b"", DataError, "is empty, not a table of poses"),
        ("a.dat", b"\x80\x04N.", DataError, "a Python pickle, which is not opened"),
        ("a.dat", b"\0\0\0\x18ftypmp42", DataError, "is a video"),
        ("a.txt", b"other", DataError, "does not begin with poses"),
        ("a.abs", b"other", DependencyError, "pip install it"),
        ("a.parquet", b"PAR1", DependencyError, "read by dlclive-formats"),
    ],
)
def test_what_no_format_recognises_is_one_line(
    tmp_path: Path, name: str, content: bytes, kind: type[Exception], message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=message):
        reader_of(tmp_path / name, catalog(TEXT, ABSENT))


def test_without_any_format_the_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"x")
    for call in (lambda: reader_of(tmp_path / "a.h5", catalog()), lambda: target_of("a.h5", None, catalog())):
        with pytest.raises(DependencyError, match="dlclive-io"):
            call()


def test_the_suffixes_that_lead_to_a_package_are_of_its_formats() -> None:
    for suffix, (name, package) in FORMAT_SUFFIXES.items():
        assert PROVIDERS["format"][name] == package
        for info in PluginCatalog.installed().components(FormatInfo):
            if info.name == name:
                assert suffix in info.suffixes
    for info in PluginCatalog.installed().components(FormatInfo):
        if info.name in PROVIDERS["format"] and info.writes:
            assert any(FORMAT_SUFFIXES[suffix][0] == info.name for suffix in info.suffixes if suffix in FORMAT_SUFFIXES)


# ---- facts that are added


TIMES = "frame,captured_at_s,device_time_s,wall_time,inference_ms,latency_ms\n"


def times_table(folder: Path, rows: list[str], header: str = TIMES) -> Path:
    path = folder / "poses_timestamps.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def test_live_times_are_those_of_the_capture(tmp_path: Path) -> None:
    rows = [f"{n},{10 + n / 50},{3e6 + n},2026-05-04T03:02:{11 + n}+00:00,1,2" for n in (0, 1, 3)]
    table = TimesTable.inspect(times_table(tmp_path, rows), None, same_run=False)
    assert table.is_live
    timed = TimedRecording(recording(), table)
    (block,) = timed.blocks()
    np.testing.assert_allclose(block.seconds, [10, 10.02, np.nan, 10.06])
    assert timed.info.started_at == datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
    assert timed.info.has_times
    assert "1 frames have no time" in timed.damage


def test_times_of_a_video_are_those_in_the_video_and_say_nothing_of_the_day(tmp_path: Path) -> None:
    rows = [f"{n},{10 + n / 50},{n / 25},2026-05-04T03:02:11+00:00,1,2" for n in range(4)]
    table = TimesTable.inspect(times_table(tmp_path, rows), None, same_run=False)
    timed = TimedRecording(recording(), table)
    (block,) = timed.blocks()
    np.testing.assert_allclose(block.seconds, [0, 0.04, 0.08, 0.12])
    assert timed.info.started_at is None
    assert "times in the video" in str(table)


def test_poses_of_a_recorded_video_are_counted_as_in_the_video(tmp_path: Path) -> None:
    header = "frame,captured_at_s,device_time_s,wall_time,video,video_frame\n"
    rows = [f"{5 * n},{n / 2},,2026-05-04T03:02:11+00:00,mouse.mkv,{n}" for n in range(4)]
    path = times_table(tmp_path, rows, header)
    analysed = TimedRecording(recording(), TimesTable.inspect(path, None, same_run=False))
    (block,) = analysed.blocks()
    np.testing.assert_allclose(block.seconds, [0, 0.5, 1, 1.5])
    live = TimedRecording(recording(), TimesTable.inspect(path, True, same_run=True))
    (block,) = live.blocks()
    np.testing.assert_allclose(block.seconds, [0, np.nan, np.nan, np.nan])


def test_a_model_gives_its_edges_by_the_names_of_the_keypoints() -> None:
    model = foreign_card(Path("x"), ("b", "a"), edges=[(0, 1)])
    assert with_model(INFO, model, "mouse.onnx").card.skeleton.edges == ((1, 0),)
    other = foreign_card(Path("x"), ("b", "nose"))
    with pytest.raises(
        UsageError, match=r"mouse\.onnx has other keypoints .*only in the table: a; only in the model: nose"
    ):
        with_model(INFO, other, "mouse.onnx")


def test_a_table_of_another_model_is_not_taken_for_that_of_the_run() -> None:
    run = CARD.with_(scorer="DLC_run", skeleton=Skeleton(("a", "b"), ((0, 1),)))
    assert as_card_of_run(CARD, run) == run
    for own in (
        CARD.with_(individuals=("m1",)),  # the other animal was never found
        CARD.with_(unique_keypoints=()),
        foreign_card(Path("x"), ("a", "b", "lever"), individuals=("m1", "m2", "single")),
        foreign_card(Path("x"), ("a", "b", "lever")),
    ):
        card = as_card_of_run(own, run)
        assert card is not None
        assert card.individuals == own.individuals
        assert (card.skeleton.keypoints, card.unique_keypoints) == (own.skeleton.keypoints, own.unique_keypoints)
        assert (card.skeleton.edges, card.scorer) == (((0, 1),), "DLC_run")
    assert as_card_of_run(foreign_card(Path("x"), ("keypoint_1", "keypoint_2")), run) is None


@pytest.mark.parametrize("source", ["mouse-002", "mouse-002.mkv", "/data/mouse-002.mkv", "C:\\data\\mouse-002.mkv"])
def test_times_are_those_of_the_video_that_the_poses_are_of(tmp_path: Path, source: str) -> None:
    header = "frame,captured_at_s,device_time_s,wall_time,video,video_frame\n"
    rows = [f"{n},{n},,,mouse-00{1 + n // 4}.mkv,{n % 4}" for n in range(8)]
    table = TimesTable.inspect(times_table(tmp_path, rows, header), None, same_run=False)
    poses = DescribedRecording(recording(), recording().info.with_(source=source))
    (block,) = TimedRecording(poses, table).blocks()
    assert block.seconds.tolist() == [4, 5, 6, 7]
    for other in ("", "mouse-003.mkv"):
        poses = DescribedRecording(recording(), recording().info.with_(source=other))
        with pytest.raises(UsageError, match="the times of several videos"):
            TimedRecording(poses, table)


@pytest.mark.parametrize("fps", [0, -1, float("inf"), float("nan"), 1e9])
def test_a_wrong_rate_is_refused(tmp_path: Path, fps: float) -> None:
    (tmp_path / "a.txt").write_text("poses")
    with pytest.raises(UsageError, match="is not a rate"):
        convert_poses(tmp_path / "a.txt", tmp_path / "b.txt", fps=fps, catalog=catalog(TEXT))


def test_progress_is_told_and_the_source_is_not_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("poses")
    told: list[tuple[int, int]] = []
    result = convert_poses(
        source, tmp_path / "b.txt", catalog=catalog(TEXT), progress=lambda done, total: told.append((done, total))
    )
    assert told == [(4, 4)]
    assert (result.frames, result.individuals, result.keypoints, result.read_as) == (4, 2, 3, "text")
    for same in (source, tmp_path / ".." / tmp_path.name / "a.txt"):
        with pytest.raises(UsageError, match="is the source itself"):
            convert_poses(source, same, catalog=catalog(TEXT), overwrite=True)
    assert source.read_text() == "poses"


def test_the_file_keeps_its_old_content_if_the_source_breaks_off(tmp_path: Path, lab: ModuleType) -> None:
    class Breaks(Text):
        def read(self, path: Path) -> PoseRecording:
            def blocks() -> Iterator[PoseRows]:
                yield next(recording().blocks())
                raise DataError(f"{path} ends early")

            return ReadRecording(INFO, 8, blocks)

    lab.Text = Breaks  # type: ignore[attr-defined]
    (tmp_path / "a.txt").write_text("poses")
    (tmp_path / "b.txt").write_text("old")
    with pytest.raises(DataError, match="ends early"):
        convert_poses(tmp_path / "a.txt", tmp_path / "b.txt", catalog=catalog(TEXT), overwrite=True)
    assert (tmp_path / "b.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt", "b.txt"]
