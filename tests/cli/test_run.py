"""`dlclive run`: outputs, endings and error messages. The camera is a rendered mouse."""

import json
import re
import signal
import sys
import time
import xml.etree.ElementTree as ElementTree

import pytest

from tests.live_runs import PATIENCE, counts_are_whole, on_a_terminal, record, wait_for

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals as on POSIX")


def test_a_session_writes_tables_a_record_and_a_latency_plot(dlclive, model, tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    done = dlclive(
        "run", "--source", "mouse:seed=3", "--model", model, "--processor", "kalman:horizon=0.02",
        "--sink", "tables:mouse.h5", "--sink", "tables:mouse.csv", "--out", "out", "--seconds", 2, "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.err == ""
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"mouse.h5", "mouse.csv", "poses.replay", "run.json", "latency.svg"}
    values = record(tmp_path / "out")
    assert json.loads(done.out) == values
    counts_are_whole(values)
    report = values["report"]
    assert report["ending"] == "stopped"
    assert report["complete"]
    assert values["ended"] > values["began"]
    assert values["source"] == values["source"] | {"name": "mouse 3", "is_live": True, "fps": 30.0}
    assert [processor["processor"] for processor in report["processors"]] == ["KalmanPredictor"]
    assert {stage["stage"] for stage in report["stages"]} >= {"capture", "wait", "age", "inference", "latency"}
    rows = pandas.read_hdf(tmp_path / "out" / "mouse.h5").dropna(how="all")
    assert len(rows) <= report["processed"]
    assert report["processed"] > 5
    picture = ElementTree.parse(tmp_path / "out" / "latency.svg").getroot()
    text = " ".join(element.text or "" for element in picture.iter() if element.text)
    assert f"{report['processed']} frames" in text


def test_the_table_accounts_for_all_frames(dlclive, model) -> None:
    done = dlclive("run", "--source", "mouse", "--model", model, "--max-frames", 12)
    assert done.code == 0, done.err
    assert re.search(r"frames read 12 = processed \d+ \+ dropped \d+; ended: frame limit", done.out)
    assert re.search(r"^ +latency +\d", done.out, re.MULTILINE)
    assert "written: run.json" in done.err
    assert "\r" not in done.err, "a status line without a terminal"


def test_a_second_run_does_not_replace_the_first(dlclive, model, tmp_path) -> None:
    arguments = ("run", "--source", "mouse", "--model", model, "--max-frames", 3)
    assert dlclive(*arguments).code == 0
    first = (tmp_path / "run.json").read_bytes()
    assert dlclive(*arguments).code == 0
    assert (tmp_path / "run.json").read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", "run-2.json", "latency.svg", "latency-2.svg"}
    assert dlclive(*arguments, "--overwrite").code == 0
    assert (tmp_path / "run.json").read_bytes() != first


def test_every_frame_of_a_video_is_processed(dlclive, model, clip, tmp_path) -> None:
    done = dlclive("run", "--source", clip, "--model", model, "--sink", "tables:t.csv", "--overwrite")
    assert done.code == 0, done.err
    values = record(tmp_path)
    assert (values["report"]["processed"], values["report"]["ending"]) == (40, "end of source")
    again = dlclive("run", "--source", clip, "--model", model, "--sink", "tables:t.csv")
    assert again.code == 2
    assert "t.csv exists" in again.error
    assert not (tmp_path / "run-2.json").exists(), "a session that never started left a record"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--model", "M"), 2, "no source: pass --source camera:0"),
        (("--source", "mouse"), 2, "no model: pass --model"),
        (
            ("--source", "mose", "--model", "M"),
            4,
            "no source 'mose', and no such file or folder: did you mean 'mouse'?",
        ),
        (("--source", "gone.mp4", "--model", "M"), 4, "no such file or folder: gone.mp4"),
        (("--source", "mouse:sed=3", "--model", "M"), 2, "no option 'sed': did you mean 'seed'?"),
        (("--source", "mouse", "--model", "gone.onnx"), 3, "no such file or folder: gone.onnx"),
        (("--source", "mouse", "--model", "M", "--sink", "tabels:x.h5"), 3, "did you mean 'tables'?"),
        (("--source", "mouse", "--model", "M", "--cropping", "1,2"), 2, "--cropping takes x1,x2,y1,y2"),
        (
            ("--source", "mouse", "--model", "M", "--processor", "picky:on_error=x"),
            2,
            "choose from disable, skip, stop",
        ),
        (("gone.yaml",), 2, "no such file: gone.yaml"),
    ],
)
def test_invalid_arguments_are_reported_in_one_line(dlclive, model, lab, arguments, code, message) -> None:
    if "M" in arguments:
        arguments = tuple(model if argument == "M" else argument for argument in arguments)
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    done = dlclive("run", *arguments, PYTHONPATH=lab)
    assert (done.code, done.out) == (code, "")
    assert message in done.error


def test_a_limit_in_seconds_is_refused_for_a_recording(dlclive, model, clip) -> None:
    done = dlclive("run", "--source", clip, "--model", model, "--seconds", 1)
    assert done.code == 2
    assert "realtime=true" in done.error


def test_a_failing_source_exits_with_4_and_a_complete_record(dlclive, model, lab, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    done = dlclive("run", "--source", "breaking:at=10", "--model", model, "--sink", "tables:t.csv", PYTHONPATH=lab)
    assert done.code == 4
    assert "the cable was pulled" in done.error
    values = record(tmp_path)
    counts_are_whole(values)
    assert (values["result"], values["exit_code"]) == ("failed", 4)
    assert "the cable was pulled" in values["error"]
    assert (tmp_path / "t.csv.part").exists()


def test_a_missing_output_device_exits_with_4(dlclive, model, tmp_path) -> None:
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    pytest.importorskip("serial", reason="needs dlclive-processors")
    laser = "stimulate:port=/dev/gone,polygon=[[0,0],[9,0],[9,9]],keypoint=snout"
    done = dlclive("run", "--source", "mouse", "--model", model, "--processor", laser)
    assert done.code == 4
    assert "port /dev/gone cannot be opened: No such file" in done.error
    assert not list(tmp_path.iterdir()), "a session that never started left a record"


def test_a_failing_sink_exits_with_5_and_the_others_continue(dlclive, model, lab, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    arguments = ("--source", "mouse", "--model", model, "--sink", "full", "--sink", "tables:t.csv", "--max-frames", 20)
    done = dlclive("run", *arguments, PYTHONPATH=lab)
    assert done.code == 5
    assert "Full stopped after 5 frames" in done.error
    assert "No space left" in done.error
    assert (tmp_path / "t.csv").exists()
    values = record(tmp_path)
    assert values["exit_code"] == 5
    counts_are_whole(values)


def test_processor_failures_are_tolerated_with_on_error(dlclive, model, lab, tmp_path) -> None:
    arguments = ("run", "--source", "mouse", "--model", model, "--max-frames", 8)
    done = dlclive(*arguments, "--processor", "picky", PYTHONPATH=lab)
    assert done.code == 3
    assert "no such pose" in done.error
    done = dlclive(*arguments, "--processor", "picky:on_error=skip", PYTHONPATH=lab)
    assert done.code == 0, done.err
    (picky,) = record(tmp_path, "run-2.json")["report"]["processors"]
    assert picky["processor"] == "Picky"
    assert picky["failures"] >= 1
    assert "Picky failed on" in done.out
    assert picky["statistics"]["poses_seen"] >= 2
    assert f"Picky: poses seen {picky['statistics']['poses_seen']}" in done.out


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_files(start, model, tmp_path, number, code) -> None:
    pandas = pytest.importorskip("pandas")
    av = pytest.importorskip("av")
    process = start(
        "run", "--source", "mouse", "--model", model, "--sink", "tables:t.h5", "--sink", "tables:t.csv",
        "--sink", "recording:m.mkv",
    )  # fmt: skip
    wait_for(tmp_path / "t.csv.part", process, 3000)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    took = time.monotonic() - sent
    assert process.returncode == code, (out, err)
    assert took < 15, "2 s on a quiet machine"
    assert "Traceback" not in err
    values = record(tmp_path)
    counts_are_whole(values)
    assert (values["result"], values["exit_code"]) == ("stopped", code)
    assert not list(tmp_path.glob("*.part"))
    processed = values["report"]["processed"]
    written = [sink["written"] for sink in values["report"]["sinks"]]
    assert len(pandas.read_hdf(tmp_path / "t.h5")) >= written[0] > 0
    assert len(pandas.read_csv(tmp_path / "t.csv", header=[0, 1, 2], index_col=0)) >= written[1]
    with av.open(str(tmp_path / "m.mkv")) as container:
        assert sum(1 for _ in container.decode(video=0)) == written[2] <= processed


@POSIX
def test_a_second_ctrl_c_quits_immediately(start, model, tmp_path) -> None:
    process = start("run", "--source", "mouse", "--model", model, "--sink", "stuck")
    wait_for(tmp_path / "run.json", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "still finishing the files; press Ctrl-C again to quit immediately\n"
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert time.monotonic() - sent < 10, "0.5 s on a quiet machine"


@POSIX
def test_signals_reach_a_process_that_is_busy_in_c(start, model, tmp_path) -> None:
    process = start("run", "--source", "mouse", "--model", model, "--processor", "computing")
    wait_for(tmp_path / "computing", process)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert time.monotonic() - sent < 10, "0.5 s on a quiet machine"


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_source_that_hangs_in_open_does_not_block_the_exit(start, model, tmp_path, number, code) -> None:
    process = start("run", "--source", "unreachable", "--model", model)
    wait_for(tmp_path / "opening", process)
    time.sleep(0.1)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, (out, err)
    assert time.monotonic() - sent < 15, "2 s on a quiet machine"
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"opening"}


@POSIX
def test_a_killed_run_is_recovered(start, dlclive, model, tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    process = start("run", "--source", "mouse", "--model", model, "--sink", "tables:t.h5", "--sink", "tables:t.csv")
    wait_for(tmp_path / "t.csv.part", process, 3000)
    process.kill()
    process.wait()
    assert record(tmp_path)["ended"] is None
    done = dlclive("recover", ".")
    assert done.code == 0, done.err
    assert "t.h5" in done.out
    assert len(pandas.read_hdf(tmp_path / "t.h5")) > 5
    assert len(pandas.read_csv(tmp_path / "t.csv", header=[0, 1, 2], index_col=0)) > 5
    assert record(tmp_path)["recovered"][0]["complete"]
    again = dlclive("recover", ".", "--json")
    assert (again.code, json.loads(again.out)["files"]) == (0, [])
    assert dlclive("recover", "gone").code == 2


@POSIX
def test_the_status_line_is_updated_at_most_ten_times_a_second(start, model) -> None:
    output, out = on_a_terminal(start, "run", "--source", "mouse", "--model", model, "--seconds", 3, "--json")
    lines = output.split("\r\x1b[K")
    running = [line for line in lines if re.fullmatch(r"mouse 0: [\d.]+ frames/s, latency .* ms \(p99 .*\), .*", line)]
    assert len(running) > 3
    assert all(len(line) < 80 and "\n" not in line for line in running)
    values = json.loads(out)
    assert len(lines) <= 12 * (values["report"]["duration"] + 2)
    assert lines[-1] == "", "the line was not removed"


def test_devices_lists_cameras_or_reports_that_there_are_none(dlclive) -> None:
    done = dlclive("devices", "--json")
    assert done.code == 0, done.err
    assert set(json.loads(done.out)) == {"devices", "not_asked"}
    done = dlclive("devices")
    assert done.code == 0
    assert "--source" in done.out + done.err
