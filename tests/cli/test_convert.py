"""`dlclive convert`: tables of runs and of other programs, as a command."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="tables are converted to Parquet")
pd = pytest.importorskip("pandas", reason="tables are read with pandas")


def table(path: Path, rows: int = 6, animals: int = 1) -> Path:
    """A table as DeepLabCut writes it."""
    levels = [["DLC_Resnet50_reachshuffle1"], ["nose", "tail"], ["x", "y", "likelihood"]]
    columns = ["scorer", "bodyparts", "coords"]
    if animals > 1:
        levels.insert(1, [f"mouse{number}" for number in range(animals)])
        columns.insert(1, "individuals")
    header = pd.MultiIndex.from_product(levels, names=columns)
    values = np.random.default_rng(0).uniform(0, 600, (rows, len(header)))
    frame = pd.DataFrame(values, columns=header)
    frame.to_csv(path) if path.suffix == ".csv" else frame.to_hdf(path, key="df_with_missing", mode="w")
    return path


def test_a_table_becomes_another_and_comes_back_unchanged(dlclive, tmp_path: Path) -> None:
    source = table(tmp_path / "mouseDLC_Resnet50_reachshuffle1.h5", animals=2)
    done = dlclive("convert", source, "mouse.parquet", "--fps", "50", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert (result["read_as"], result["written_as"], result["files"]) == ("deeplabcut", "parquet", ["mouse.parquet"])
    assert (result["frames"], result["individuals"], result["keypoints"]) == (6, 2, 2)
    tidy = pd.read_parquet(tmp_path / "mouse.parquet")
    assert list(tidy) == ["frame", "time", "individual", "keypoint", "x", "y", "confidence"]
    done = dlclive("convert", "mouse.parquet", "back.h5")
    assert done.code == 0, done.err
    assert done.out == "back.h5 (deeplabcut): 6 frames, 2 animals, 2 keypoints, from mouse.parquet (parquet)\n"
    pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "back.h5"), pd.read_hdf(source), check_exact=True)


def test_an_existing_file_needs_overwrite_and_the_source_is_never_replaced(dlclive, tmp_path: Path) -> None:
    source = table(tmp_path / "mouse.csv")
    before = source.read_bytes()
    target = tmp_path / "out.h5"
    target.write_text("mine")
    done = dlclive("convert", source, target)
    assert (done.code, target.read_text()) == (2, "mine")
    assert "already exists; choose another name or pass --overwrite" in done.error
    done = dlclive("convert", source, source, "--overwrite")
    assert (done.code, source.read_bytes()) == (2, before)
    assert "is the source itself" in done.error
    assert dlclive("convert", source, target, "--overwrite").code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mouse.csv", "out.h5"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("missing.h5", "out.csv"), 2, "no such file or folder: missing.h5"),
        (("mouse.h5", "out.parqet"), 2, "did you mean '.parquet'?"),
        (("mouse.h5", "parqet:out.x"), 3, "no format 'parqet': did you mean 'parquet'?"),
        (("mouse.h5", "no/out.csv"), 5, "no folder no; create it first"),
        (("mouse.h5", "deeplabcut:out.csv,scoree=x"), 2, "did you mean 'scorer'?"),
        (("short.h5", "out.csv"), 5, "short.h5 cannot be read as a DeepLabCut table: it is truncated"),
        (("short.csv", "out.h5"), 5, "short.csv, line 8: "),
        (("mouse.h5", "out.csv", "--times", "mouse.csv"), 5, "mouse.csv is not a table of timestamps"),
        (("mouse.h5", "out.csv", "--times", "no.csv"), 2, "no such table of timestamps"),
        (("mouse.h5", "out.csv", "--fps", "0"), 2, "0 is not a rate"),
        (("mouse.h5", "out.csv", "--name", "left"), 2, "--name is for runs with several sources"),
        (("notes.txt", "out.csv"), 5, "notes.txt is text, not a table of poses in a format that is installed"),
        ((".", "out.csv"), 5, ". is a folder, not a table of poses"),
        (("mouse.h5",), 2, "TARGET"),
    ],
)
def test_wrong_input_is_one_line(dlclive, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    data = table(tmp_path / "mouse.h5").read_bytes()
    text = table(tmp_path / "mouse.csv").read_bytes()
    (tmp_path / "short.h5").write_bytes(data[:-3000])
    (tmp_path / "short.csv").write_bytes(text[:-200])
    (tmp_path / "notes.txt").write_text("hello")
    before = sorted(file.name for file in tmp_path.iterdir())
    done = dlclive("convert", *arguments)
    assert done.code == code, done.err
    assert message in done.error
    assert sorted(file.name for file in tmp_path.iterdir()) == before


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_is_one_line(dlclive, tmp_path: Path) -> None:
    source = table(tmp_path / "mouse.h5")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = dlclive("convert", source, locked / "out.csv")
    assert done.code == 5
    assert "Permission denied" in done.error


def test_the_folder_of_an_analysis_has_times_names_and_skeleton(
    dlclive, model: Path, clip: Path, tmp_path: Path
) -> None:
    assert dlclive("analyze", model, clip, "--out", "run").code == 0
    done = dlclive("convert", "run", "mouse.parquet", "--json")
    assert done.code == 0, done.err
    assert "note: times in the video of clip" in done.err
    facts = metadata(tmp_path / "mouse.parquet")
    assert facts["edges"]
    assert facts["source"] == str(clip)
    assert facts["started_at"] is None  # when it was filmed is not known
    tidy = pd.read_parquet(tmp_path / "mouse.parquet")
    np.testing.assert_allclose(tidy.groupby("frame").time.first(), np.arange(40) / 30, atol=1e-6)
    # The table alone, whose run.json is beside it, and without run.json by its own name:
    (run_table,) = (tmp_path / "run").glob("*.h5")
    assert dlclive("convert", run_table, "again.parquet").code == 0
    assert pd.read_parquet(tmp_path / "again.parquet").equals(tidy)
    (tmp_path / "run" / "run.json").unlink()
    assert dlclive("convert", run_table, "alone.parquet").code == 0
    assert pd.read_parquet(tmp_path / "alone.parquet").equals(tidy)
    assert metadata(tmp_path / "alone.parquet")["edges"] == []
    done = dlclive("convert", run_table, "edges.parquet", "--model", model)
    assert done.code == 0, done.err
    assert metadata(tmp_path / "edges.parquet")["edges"] == facts["edges"]
    other = table(tmp_path / "other.csv")
    done = dlclive("convert", other, "other.parquet", "--model", model)
    assert done.code == 2
    assert "has other keypoints than the table; only in the table: nose, tail" in done.error


def test_a_live_run_has_the_times_of_the_capture(dlclive, model: Path, tmp_path: Path) -> None:
    sinks = ("--sink", "tables:poses.h5", "--sink", "tables:poses.csv", "--sink", "timestamps:times.csv")
    done = dlclive("run", "--source", "mouse", "--model", model, *sinks, "--max-frames", 8, "--out", "run")
    assert done.code == 0, done.err
    done = dlclive("convert", "run", "poses.parquet")
    assert done.code == 0, done.err
    assert "note: capture times of times.csv" in done.err
    tidy = pd.read_parquet(tmp_path / "poses.parquet").groupby("frame").time.first()
    times = pd.read_csv(tmp_path / "run" / "times.csv", index_col="frame").captured_at_s
    np.testing.assert_array_equal(tidy.index, times.index)
    np.testing.assert_allclose(tidy, times)
    facts = metadata(tmp_path / "poses.parquet")
    assert facts["started_at"]
    assert facts["frame_size"] == [320, 240]


def test_no_time_is_made_up_for_a_live_run_without_a_table_of_timestamps(dlclive, model: Path, tmp_path: Path) -> None:
    sink = ("--sink", "tables:poses.h5")
    done = dlclive("run", "--source", "mouse", "--model", model, *sink, "--max-frames", 4, "--out", "run")
    assert done.code == 0, done.err
    for source in ("run", "run/poses.h5"):
        done = dlclive("convert", source, "poses.nwb")
        assert done.code == 2, done.out
        assert "needs the time of each frame, which this recording does not tell" in done.error
    done = dlclive("convert", "run", "poses.parquet")
    assert done.code == 0, done.err
    assert "note: the times of the frames are not known: the run left no table of timestamps" in done.err
    assert pd.read_parquet(tmp_path / "poses.parquet").time.isna().all()
    done = dlclive("convert", "run", "rated.parquet", "--fps", 20)
    assert done.code == 0, done.err
    assert "note: rate of --fps: frame n is at n / 20 s" in done.err
    assert (metadata(tmp_path / "rated.parquet")["fps"], metadata(tmp_path / "poses.parquet")["fps"]) == (20, None)


def test_the_record_that_only_a_recovery_wrote_leads_to_its_table(dlclive, tmp_path: Path) -> None:
    (tmp_path / "rig").mkdir()
    table(tmp_path / "rig" / "mouse.h5")
    recovered = {"at": "today", "files": [{"path": "rig/mouse.h5", "kind": "poses"}]}
    (tmp_path / "rig" / "run.json").write_text(json.dumps({"began": None, "ended": None, "recovered": [recovered]}))
    for source in ("rig", "rig/mouse.h5"):
        done = dlclive("convert", source, "mouse.csv", "--overwrite")
        assert done.code == 0, done.err
        assert "6 frames, 2 keypoints" in done.out
    done = dlclive("replay", "rig")
    assert done.code == 5
    assert "written by `dlclive recover` alone" in done.error
    assert "dlclive convert rig TARGET" in done.error
    (tmp_path / "rig" / "run.json").write_text(json.dumps({"options": {}, "source": {}}))
    done = dlclive("convert", "rig", "mouse.csv", "--overwrite")
    assert done.code == 5
    assert "is not the record of a run, or is damaged: it has no model" in done.error


def test_an_nwb_file_with_a_subject_of_its_own_is_read_beside_its_run(dlclive, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("ndx_pose", reason="the sink nwb needs ndx-pose")
    sink = ("--sink", "nwb:m.nwb,subject_id=M12")
    done = dlclive("run", "--source", "mouse", "--model", model, *sink, "--max-frames", 4, "--out", "run")
    assert done.code == 0, done.err
    for source in ("run", "run/m.nwb"):
        done = dlclive("convert", source, "m.parquet", "--overwrite")
        assert done.code == 0, done.err
        assert set(pd.read_parquet(tmp_path / "m.parquet").individual) == {"M12"}
        assert metadata(tmp_path / "m.parquet")["edges"]


def test_of_several_sources_and_tables_one_must_be_said(dlclive, model: Path, tmp_path: Path) -> None:
    sinks = ("--sink", "tables:a.h5", "--sink", "parquet:b.parquet")
    sources = ("--source", "left=mouse", "--source", "right=mouse")
    done = dlclive("run", *sources, "--model", model, *sinks, "--max-frames", 4, "--out", "run")
    assert done.code == 0, done.err
    done = dlclive("convert", "run", "poses.csv")
    assert done.code == 2
    assert "several sources (left, right); say which one: --name" in done.error
    done = dlclive("convert", "run", "poses.csv", "--name", "left")
    assert done.code == 2
    assert "left has several tables; give one: " in done.error
    done = dlclive("convert", "run", "poses.csv", "--name", "lef")
    assert done.code == 2
    assert "did you mean 'left'?" in done.error
    done = dlclive("convert", "run/b_left.parquet", "poses.csv")
    assert done.code == 0, done.err


def metadata(path: Path) -> dict:
    import pyarrow.parquet as pq

    return json.loads(pq.read_schema(path).metadata[b"dlclive"])
