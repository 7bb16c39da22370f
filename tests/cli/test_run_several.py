"""`dlclive run` with several sources: files, counts and endings of each, including failures and signals."""

import json
import re
import signal
import sys

import pytest

from tests.live_runs import PATIENCE, counts_are_whole, on_a_terminal, record, wait_for

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals as on POSIX")
MICE = ("--source", "left=mouse:seed=1", "--source", "right=mouse:seed=2")


def rows(path) -> int:
    pandas = pytest.importorskip("pandas")
    return len(pandas.read_csv(path, header=[0, 1, 2], index_col=0).dropna(how="all"))


@pytest.mark.parametrize("models", [1, 2])
def test_recordings_are_processed_completely_into_separate_files(dlclive, model, clip, tmp_path, models) -> None:
    arguments = ("--source", f"left={clip}", "--source", f"right=video:{clip}", *("--model", model) * models)
    done = dlclive("run", *arguments, "--sink", "timestamps:t.csv", "--sink", "timestamps:{source}.csv", "--json")
    assert done.code == 0, done.err
    values = record(tmp_path)
    assert json.loads(done.out) == values
    assert [source["name"] for source in values["sources"]] == ["left", "right"]
    for source in values["sources"]:
        counts_are_whole(source)
        name = source["name"]
        assert source["report"]["name"] == name
        assert (source["report"]["processed"], source["report"]["dropped"]) == (40, 0)
        assert source["outputs"] == [f"t_{name}.csv", f"{name}.csv"]
        for path in (*source["outputs"], source["latency_picture"]):
            assert (tmp_path / path).is_file()
        assert len((tmp_path / f"t_{name}.csv").read_text().splitlines()) == 41
    assert {path.name for path in tmp_path.glob("latency*")} == {"latency_left.svg", "latency_right.svg"}
    assert (values["result"], values["exit_code"]) == ("end of source", 0)


@POSIX
@pytest.mark.parametrize(("number", "code", "models"), [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1)])
def test_a_signal_finishes_the_files_of_all_sources(start, model, tmp_path, number, code, models) -> None:
    av = pytest.importorskip("av")
    process = start(
        "run", *MICE, *("--model", model) * models,
        "--sink", "tables:t.csv", "--sink", "tables:t.h5", "--sink", "recording:m.mkv",
    )  # fmt: skip
    for name in ("left", "right"):
        wait_for(tmp_path / f"t_{name}.csv.part", process, 3000)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, (out, err)
    assert "Traceback" not in err
    assert not list(tmp_path.glob("*.part"))
    values = record(tmp_path)
    assert (values["result"], values["exit_code"]) == ("stopped", code)
    for source in values["sources"]:
        counts_are_whole(source)
        report, name = source["report"], source["name"]
        assert [sink["written"] for sink in report["sinks"]] == [report["processed"]] * 3
        assert rows(tmp_path / f"t_{name}.csv") > 0
        assert (tmp_path / f"t_{name}.h5").is_file()
        with av.open(str(tmp_path / f"m_{name}.mkv")) as container:
            assert sum(1 for _ in container.decode(video=0)) == report["processed"]
        assert f"{name} on onnx" in out


@POSIX
def test_a_source_that_hangs_in_open_does_not_block_the_others(start, model, tmp_path) -> None:
    process = start("run", "--source", "good=mouse", "--source", "bad=unreachable", "--model", model)
    wait_for(tmp_path / "opening", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"opening"}


def test_a_failing_source_ends_the_run_and_is_named(dlclive, model, lab, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    arguments = ("--source", "good=mouse", "--source", "bad=breaking:at=5", "--model", model, "--sink", "tables:t.csv")
    done = dlclive("run", *arguments, PYTHONPATH=lab)
    assert done.code == 4
    assert done.error.startswith("error: bad: ")
    assert "the cable was pulled" in done.error
    good, bad = record(tmp_path)["sources"]
    assert (good["report"]["ending"], bad["report"]["ending"]) == ("stopped", "error")
    assert good["outputs"] == ["t_good.csv"]
    assert (tmp_path / "t_bad.csv.part").exists()


def test_a_failing_sink_is_reported_with_its_source(dlclive, model, lab, tmp_path) -> None:
    text = """
    model: MODEL
    sources:
      - {name: left, source: mouse, sinks: [full, "tables:l.csv"]}
      - {name: right, source: mouse, sinks: ["tables:r.csv"]}
    limits: {max_frames: 15}
    """
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    (tmp_path / "rig.yaml").write_text(text.replace("MODEL", str(model)))
    done = dlclive("run", "rig.yaml", PYTHONPATH=lab)
    assert done.code == 5
    assert "left: Full stopped after 5 frames" in done.error
    assert (tmp_path / "l.csv").is_file()
    assert (tmp_path / "r.csv").is_file()


@POSIX
def test_the_terminal_shows_a_line_for_each_source(start, model) -> None:
    output, out = on_a_terminal(start, "run", *MICE, "--model", model, "--seconds", 3, "--json")
    drawn = re.findall(r"\r\x1b\[Kleft: ([^\r\n]*)\r?\n\r\x1b\[Kright: ([^\r\n]*)", output)
    assert len(drawn) > 3
    assert sum("frames/s" in left and "frames/s" in right for left, right in drawn) > 3
    assert output.count("\x1b[1A") in (len(drawn), len(drawn) + 1), "each drawing must start where the previous one did"
    assert output.endswith("\r\x1b[J"), "the lines were not removed"
    assert [source["name"] for source in json.loads(out)["sources"]] == ["left", "right"]


def test_a_tracking_model_is_not_shared_but_loaded_per_source(dlclive, lab, tmp_path) -> None:
    (tmp_path / "m.mem").touch()
    arguments = ("run", *MICE, "--max-frames", 3)
    done = dlclive(*arguments, "--model", "m.mem", PYTHONPATH=lab)
    assert done.code == 2
    assert "left and right cannot share a model (blobs) that tracks animals between frames" in done.error
    assert "pass one --model per source" in done.error
    assert {path.name for path in tmp_path.iterdir()} == {"m.mem"}
    assert dlclive(*arguments, "--model", "m.mem", "--model", "m.mem", PYTHONPATH=lab).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--source", "mouse", "--source", "mouse:seed=3", "--model", "M", "--model", "M", "--model", "M"), 2,
         "3 models for 2 sources: pass one --model for all, or one per --source"),
        (("--source", "mouse", "--source", "mouse", "--model", "M"), 2,
         "two sources have the name 'mouse'; name them: --source left=mouse --source right=mouse"),
        (("--source", "mouse", "--source", "right=mose", "--model", "M"), 4,
         "no source 'mose', and no such file or folder: did you mean 'mouse'?"),
        ((*MICE, "--model", "M", "--sink", "tables:a.csv", "--sink", "tables:a.csv"), 2,
         "two sinks write a_left.csv: tables:a.csv and tables:a.csv"),
        ((*MICE,), 2, "no model: pass --model"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_reported_in_one_line(dlclive, model, lab, tmp_path, arguments, code, message) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    done = dlclive("run", *(model if argument == "M" else argument for argument in arguments), PYTHONPATH=lab)
    assert (done.code, done.out) == (code, "")
    assert message in done.error
    assert not list(tmp_path.iterdir())


def test_every_source_has_its_own_web_page(start, model, tmp_path) -> None:
    pytest.importorskip("uvicorn", reason="needs dlclive-io")
    done = start("run", *MICE, "--model", model, "--web", "--seconds", 1)
    _, err = done.communicate(timeout=PATIENCE)
    assert done.returncode == 0, err
    pages = dict(re.findall(r"^display of (\w+): (http://127.0.0.1:\d+/)$", err, re.MULTILINE))
    assert set(pages) == {"left", "right"}
    assert len(set(pages.values())) == 2
