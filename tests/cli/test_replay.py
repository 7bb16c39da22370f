"""`dlclive replay`: what a live run decided is decided again; other settings show what would have fired."""

import json
import shutil
import signal
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.live_runs import PATIENCE, record, wait_for
from tests.svg_checks import check_picture

pytest.importorskip("dlclive_io", reason="records are written by dlclive-io")
pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
CORNER = "[[150,0],[320,0],[320,240],[150,240]]"
KALMAN, REGION = "kalman:horizon=0.02", f"region:polygon={CORNER},keypoint=snout,events=corner.csv"
PROCESSORS = ("--processor", KALMAN, "--processor", REGION)


@pytest.fixture
def live(dlclive, model, tmp_path) -> Path:
    """A live run of two seconds, with events, a table and times."""
    done = dlclive(
        "run", "--source", "mouse:seed=3", "--model", model, *PROCESSORS, "--out", "live", "--max-frames", 60,
        "--sink", "tables:mouse.csv", "--sink", "timestamps:times.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert record(tmp_path / "live")["files"] == ["mouse.csv", "times.csv", "poses.replay"]
    return tmp_path / "live"


def test_the_same_settings_give_the_same_events(dlclive, live, tmp_path) -> None:
    before = {path.name: path.read_bytes() for path in live.iterdir()}
    done = dlclive("replay", "live", "--out", "again")
    assert done.code == 0, done.err
    processed = record(live)["report"]["processed"]
    assert f"{processed} of {processed} identical to the recorded ones" in done.out
    assert "corner.csv: identical" in done.out
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"corner.csv", "replay.json", "replay.svg"}
    assert (tmp_path / "again" / "corner.csv").read_bytes() == before["corner.csv"]
    assert before["corner.csv"].count(b"\n") > 2
    assert {path.name: path.read_bytes() for path in live.iterdir()} == before, "the run was changed"
    text = " ".join(element.text or "" for element in ElementTree.parse(tmp_path / "again" / "replay.svg").iter())
    assert "the events are the recorded ones" in text


def test_a_changed_record_is_told_apart(dlclive, live) -> None:
    lines = (live / "corner.csv").read_text().splitlines(keepends=True)
    (live / "corner.csv").write_text("".join([lines[0], lines[1].replace("enter", "leave"), *lines[2:]]))
    done = dlclive("replay", "live")
    assert done.code == 5
    assert "corner.csv differs from the recorded one: line 2" in done.error


def test_a_trigger_without_recorded_events_is_named(dlclive, model, live) -> None:
    (live / "corner.csv").unlink()
    for more in ((), PROCESSORS):
        done = dlclive("replay", "live", *more)
        assert done.code == 0, done.err
        missing = Path("live", "corner.csv")
        assert f": region has no recorded events: {missing} is missing" in done.err, done.err

    silent = ("--processor", f"region:polygon={CORNER},keypoint=snout")
    run = ("run", "--source", "mouse:seed=3", "--model", model, "--max-frames", 5, "--out", "silent")
    assert dlclive(*run, *silent).code == 0
    for more in ((), silent):
        done = dlclive("replay", "silent", *more, "--json")
        assert "region has no recorded events: the run did not keep them, since its events= was not set" in done.err
        (session,) = json.loads(done.out)["sessions"]
        assert sum("no recorded events" in notice for notice in session["notices"]) == 1


def test_other_settings_show_what_would_have_fired(dlclive, live, tmp_path) -> None:
    done = dlclive(
        "replay", live / "run.json", "--processor", f"region:polygon={CORNER},keypoint=snout,min_confidence=1",
        "--processor", f"stimulate:/dev/no-such-port,polygon={CORNER},keypoint=snout", "--out", "other", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    values = json.loads(done.out)
    assert values == json.loads((tmp_path / "other" / "replay.json").read_text())
    (session,) = values["sessions"]
    region, stimulate = session["triggers"]
    assert region["recorded"]["events"] >= 1
    assert region["replayed"]["events"] == 0
    assert stimulate["recorded"] is None
    assert stimulate["replayed"]["events"] >= 1
    assert stimulate["replayed"]["on_time"] > 0
    assert {path.name for path in (tmp_path / "other").iterdir()} == {
        "region.csv", "stimulate.csv", "replay.json", "replay.svg",
    }  # fmt: skip
    again = dlclive("replay", "live", "--processor", REGION, "--out", "other")
    assert again.code == 2
    assert "replay.svg already exists" in again.error
    assert not (tmp_path / "other" / "corner.csv").exists(), "some of the files were written"


def test_without_a_record_tables_and_times_are_replayed(dlclive, live) -> None:
    (live / "poses.replay").unlink()
    done = dlclive("replay", "live", "--json")
    assert done.code == 0, done.err
    (session,) = json.loads(done.out)["sessions"]
    assert not session["exact"]
    assert session["frames"] == record(live)["report"]["processed"]
    assert any("mouse.csv" in notice for notice in session["notices"])
    assert any("times.csv" in notice for notice in session["notices"])
    (live / "mouse.csv").unlink()
    done = dlclive("replay", "live")
    assert done.code == 5
    assert "no replay record and no table of poses" in done.error


def test_a_video_and_the_model_give_the_poses_again(dlclive, model, clip, tmp_path) -> None:
    assert dlclive("analyze", model, clip, "--processor", REGION, "--out", "an").code == 0
    done = dlclive("replay", "an")
    assert done.code == 0, done.err
    assert "corner.csv: identical" in done.out
    for table in (tmp_path / "an").glob("clip*"):
        table.unlink()
    done = dlclive("replay", "an", "--video", clip, "--model", model)
    assert done.code == 0, done.err
    assert "clip: 40 frames" in done.out
    assert "corner.csv: identical" in done.out
    assert "poses are computed again" in done.err
    assert dlclive("replay", "an", "--model", model).error == (
        "error: --model and --times are for the poses of a video; pass --video"
    )


def test_each_of_several_sources_is_replayed(dlclive, model, tmp_path) -> None:
    done = dlclive(
        "run", "--source", "left=mouse:seed=3", "--source", "right=mouse:seed=4", "--model", model, *PROCESSORS,
        "--max-frames", 30, "--out", "pair",
    )  # fmt: skip
    assert done.code == 0, done.err
    done = dlclive("replay", "pair", "--out", "again")
    assert done.code == 0, done.err
    for name in ("corner_left.csv", "corner_right.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "pair" / name).read_bytes()
        assert f"{name}: identical" in done.out
    one = json.loads(dlclive("replay", "pair", "--name", "right", "--json").out)
    assert [session["name"] for session in one["sessions"]] == ["right"]
    assert "did you mean 'right'" in dlclive("replay", "pair", "--name", "rihgt").error


def test_a_run_may_leave_no_record(dlclive, model, tmp_path) -> None:
    arguments = ("run", "--source", "mouse", "--model", model, "--processor", KALMAN, "--max-frames", 3)
    assert dlclive(*arguments, "--out", "a", "--no-replay").code == 0
    assert not (tmp_path / "a" / "poses.replay").exists()
    (tmp_path / "rig.yaml").write_text("replay: false\n")
    assert dlclive("run", "rig.yaml", *arguments[1:], "--out", "b").code == 0
    assert not (tmp_path / "b" / "poses.replay").exists()
    for name in ("poses.replay", "poses-2.replay"):
        assert dlclive(*arguments, "--out", "c").code == 0
        assert (tmp_path / "c" / name).exists()


@POSIX
def test_a_killed_run_is_replayed_up_to_its_last_frame(dlclive, start, model, tmp_path) -> None:
    process = start("run", "--source", "mouse:seed=3", "--model", model, *PROCESSORS, "--out", "out")
    wait_for(tmp_path / "out" / "poses.replay.part", process, size=30_000)
    process.kill()
    process.communicate()
    for _ in range(2):
        done = dlclive("replay", "out", "--json")
        assert done.code == 0, done.err
        (session,) = json.loads(done.out)["sessions"]
        assert session["poses"] == {"same": session["frames"], "different": 0}
        assert session["frames"] > 20
        (trigger,) = session["triggers"]
        assert trigger["comparison"]["same"], trigger
        assert any("killed" in notice for notice in session["notices"])
        with (tmp_path / "out" / "poses.replay.part").open("rb+") as file:  # the second time, torn in the last frame
            file.truncate(file.seek(0, 2) - 7)
    assert dlclive("recover", "out").code == 0
    done = dlclive("replay", "out")
    assert done.code == 0, done.err


@LINUX
def test_an_interrupted_replay_writes_nothing(dlclive, start, model, live, tmp_path) -> None:
    content = (live / "poses.replay").read_bytes()
    begin = content.index(b"}", content.index(b"started_clock")) + 1
    with (live / "poses.replay").open("ab") as file:
        for _ in range(3000):  # long enough to be interrupted
            file.write(content[begin:])
    process = start("replay", "live", "--out", "again")
    while not _reads(process.pid):  # its signal handler is installed before
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "nothing was written" in err
    assert not (tmp_path / "again").exists()


def _reads(pid: int) -> bool:
    """Whether a process has opened the record."""
    try:
        return any(path.resolve().name == "poses.replay" for path in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "has no run.json"),
        ("{}", 5, "has no options"),
        ("no json", 5, "is not the record of a run"),
        ("[" * 100_000, 5, "is not the record of a run"),
        ('{"options": {"sources": [1]}}', 5, "is not the record of a run"),
        ('{"options": {"sources": [{"source": "mouse", "name": "", "processors": 3}]}}', 5, "not the record of a run"),
        ('{"options": {}, "videos": [{"video": 7}]}', 5, "is not the record of a run"),
    ],
)
def test_what_is_no_run_is_refused(dlclive, tmp_path, content, code, message) -> None:
    (tmp_path / "run").mkdir()
    if content is not None:
        (tmp_path / "run" / "run.json").write_text(content)
    done = dlclive("replay", "run")
    assert done.code == code
    assert message in done.error


def test_bad_input_names_what_to_do(dlclive, live, tmp_path) -> None:
    assert "no such run: gone" in dlclive("replay", "gone").error
    wrong = dlclive("replay", "live", "--processor", f"region:polygon={CORNER},keypoint=snot")
    assert (wrong.code, "did you mean 'snout'" in wrong.error) == (2, True)
    assert "did you mean 'region'" in dlclive("replay", "live", "--processor", "regoin").error
    shutil.copy(live / "run.json", live / "run-2.json")
    assert "has 2 runs; give one" in dlclive("replay", "live").error
    (live / "poses.replay").write_bytes(b"dlclive replay\n" + bytes(50))
    damaged = dlclive("replay", "live/run.json")
    assert (damaged.code, "header" in damaged.error) == (5, True)
    assert not (tmp_path / "again").exists()


def test_a_run_that_wrote_nothing_is_not_asked_for(dlclive, model, clip, tmp_path) -> None:
    """A second `analyze` into the same folder is refused, and leaves a record of that."""
    arguments = ("analyze", model, clip, "--processor", REGION, "--out", "an")
    assert dlclive(*arguments).code == 0
    assert dlclive(*arguments).code == 2
    (refused,) = record(tmp_path / "an", "run-2.json")["videos"]
    assert refused["outputs"] == [], "the tables are those of the first run"
    for command in (("replay", "an"), ("convert", "an", "table.csv")):
        done = dlclive(*command)
        assert done.code == 0, done.err
        assert f"{Path('an', 'run-2.json')} wrote nothing: {Path('an', 'run.json')} is used" in done.err
    alone = dlclive("replay", "an/run-2.json")
    assert (alone.code, "no table of poses" in alone.error) == (5, True)

    shutil.copy(tmp_path / "an" / "run.json", tmp_path / "an" / "run-3.json")
    two = dlclive("replay", "an").error
    assert f"an has 2 runs; give one: {Path('an', 'run-3.json')}, {Path('an', 'run.json')}" in two
    for name in ("run.json", "run-3.json"):
        (tmp_path / "an" / name).unlink()
    assert dlclive("replay", "an").code == 5


def test_a_threshold_is_chosen_on_a_recorded_run(dlclive, model, tmp_path) -> None:
    speed = "speed:threshold={},events=speed.csv"
    done = dlclive(
        "run", "--source", "mouse:seed=3", "--model", model, "--out", "day", "--seconds", 3,
        "--processor", speed.format(60),
    )  # fmt: skip
    assert done.code == 0, done.err
    same = dlclive("replay", "day", "--json")
    assert same.code == 0, same.err
    (trigger,) = json.loads(same.out)["sessions"][0]["triggers"]
    assert trigger["recorded"] == trigger["replayed"]
    assert trigger["recorded"]["events"] >= 1

    other = dlclive("replay", "day", "--processor", speed.format(20), "--out", "lower", "--json")
    assert other.code == 0, other.err
    (lower,) = json.loads(other.out)["sessions"][0]["triggers"]
    assert lower["replayed"]["on_time"] > lower["recorded"]["on_time"]
    picture = (tmp_path / "lower" / "replay.svg").read_text(encoding="utf-8")
    check_picture(picture)
    assert "threshold 20 px/s" in picture
    assert "value [px/s]" in picture


def test_a_strangers_run_executes_nothing(dlclive, live, tmp_path) -> None:
    """The processors of a run are in its run.json, and one of them may name a file of its folder."""
    (live / "mine.py").write_text(
        f"open({str(tmp_path / 'executed')!r}, 'w').close()\nclass Mine:\n    process = print\n"
    )
    values = record(live)
    values["options"]["processors"].append("deeplabcut-live:mine.py::Mine")
    (live / "run.json").write_text(json.dumps(values))
    done = dlclive("replay", "live")
    assert done.code == 2
    assert "does not say that it can be replayed" in done.error
    assert dlclive("replay", "live", "--processor", REGION).code == 0
    assert not (tmp_path / "executed").exists()
