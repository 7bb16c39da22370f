"""`dlclive latency`: without a device, and its messages."""

from __future__ import annotations

import csv
import json
import signal
import sys

import pytest

from dlclive_core import PluginCatalog, PluginError
from dlclive_core.cli.live.latency import LatencyOptions, run_latency
from dlclive_core.cli.live.run_spec import RunSpec
from tests.live_runs import PATIENCE, record, wait_for
from tests.svg_checks import check_picture

pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the simulated device needs a POSIX system")


@POSIX
def test_a_simulated_measurement_writes_its_trials(dlclive, model, tmp_path) -> None:
    done = dlclive("latency", "--simulate", "--model", model, "--trials", 4, "--delay", 0.02, "--out", "out", "--json")
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"run.json", "latency.svg", "trials.csv", "trials.svg"}
    values = record(tmp_path / "out")
    assert json.loads(done.out) == values
    latency = values["latency"]
    assert latency["trials"] == latency["answered"] + latency["missed"] == 4
    with (tmp_path / "out" / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["1", "2", "3", "4"]
    answered = [float(row["age_ms"]) for row in rows if row["latency_ms"]]
    assert len(answered) >= 1
    assert min(answered) >= 20  # the delay
    assert values["report"]["ending"] == "stopped"
    check_picture((tmp_path / "out" / "trials.svg").read_text(encoding="utf-8"))


@POSIX
@pytest.mark.parametrize("blocked", ["trials.csv", "trials.svg"])
def test_trials_that_cannot_be_written_do_not_leave_the_record_unfinished(blocked, dlclive, model, tmp_path) -> None:
    """The numbers are in it, and why the table or the picture is missing."""
    (tmp_path / "out" / blocked).mkdir(parents=True)
    done = dlclive(
        "latency", "--simulate", "--model", model, "--trials", 1, "--led", "8,221,11", "--out", "out", "--overwrite"
    )
    assert done.code == 5, done.err
    assert blocked in done.error
    values = record(tmp_path / "out")
    assert values["ended"] is not None
    assert (values["result"], values["exit_code"]) == ("failed", 5)
    assert blocked in values["error"]
    assert values["latency"]["trials"] == 1
    assert "Latency from glass to output" in done.out


@POSIX
def test_the_processors_of_a_session_file_come_first(dlclive, model, tmp_path) -> None:
    (tmp_path / "rig.yaml").write_text(
        f"source: mouse:fps=50\nmodel: {json.dumps(str(model))}\nprocessors: [kalman]\n", encoding="utf-8"
    )
    done = dlclive("latency", "rig.yaml", "--simulate", "--trials", 1, "--led", "8,221,11", "--overwrite")
    assert done.code == 0, done.err
    assert "Latency from glass to output" in done.out
    assert "missed 0, false answers 0" in done.out or "missed" in done.out
    processors = [entry["processor"] for entry in record(tmp_path)["report"]["processors"]]
    assert processors == ["KalmanPredictor", "LedLatency"]


@POSIX
def test_an_led_that_is_not_seen_ends_with_one_line(dlclive, model, tmp_path) -> None:
    done = dlclive("latency", "--simulate", "--model", model, "--led", "100,100,5", "--out", "out")
    assert done.code == 4
    assert "the LED was not seen" in done.error
    assert record(tmp_path / "out")["exit_code"] == 4
    assert not list((tmp_path / "out").glob("trials*")), "there is no trial"
    assert "LEDs answered" not in done.out


@POSIX
def test_a_measurement_that_is_stopped_at_once_has_no_table(start, model, tmp_path) -> None:
    process = start("latency", "--simulate", "--model", model, "--led", "100,100,5", "--out", "out")
    wait_for(tmp_path / "out" / "run.json", process, size=100)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "stopped before the LED was lit for the first trial: nothing was measured" in err
    assert "LEDs answered" not in out
    assert not list((tmp_path / "out").glob("trials*"))
    assert record(tmp_path / "out")["latency"]["trials"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--source", "mouse", "--model", "M"), 2, "pass --port, such as --port /dev/ttyACM0, or --simulate"),
        (("--simulate", "--port", "p"), 2, "--simulate and --port p exclude each other; leave one out"),
        (("--simulate", "--source", "mouse", "--source", "b=mouse", "--model", "M"), 2, "measured with one source"),
        (("--port", "p", "--model", "M"), 2, "no source"),
        (("--port", "none", "--source", "mouse", "--model", "M"), 4, "port none cannot be opened"),
        (("--port", "none", "--source", "mouse", "--model", "M", "--led", "1,2"), 2, "give [x, y, size]"),
        (("--port", "none", "--source", "mouse", "--model", "M", "--led-channel", 0), 2, "both channel 0"),
    ],
)
def test_messages(arguments: tuple[object, ...], code: int, message: str, dlclive, model) -> None:
    done = dlclive("latency", *(model if argument == "M" else argument for argument in arguments))
    assert done.code == code, done.err
    assert message in done.error


def test_a_processor_on_the_same_port_is_left_out(dlclive, model, tmp_path) -> None:
    """A session file of an experiment has its laser on the port on which the latency is to be measured."""
    stimulate = "stimulate:none,polygon=[[0,0],[9,0],[9,9]],keypoint=snout"
    (tmp_path / "rig.yaml").write_text(
        f"source: mouse\nmodel: {json.dumps(str(model))}\nprocessors: ['{stimulate}', kalman]\n", encoding="utf-8"
    )
    done = dlclive("latency", "rig.yaml", "--port", "none")
    assert done.code == 4
    assert "port none cannot be opened" in done.error
    assert "stimulate is left out: it has the port none" in done.err


def test_without_the_processors_it_says_what_to_install(model, tmp_path, monkeypatch) -> None:
    offered = [plugin for plugin in PluginCatalog.installed().plugins if plugin.distribution != "dlclive-processors"]
    monkeypatch.setattr(PluginCatalog, "installed", lambda: PluginCatalog(offered))
    spec = RunSpec(models=(str(model),), out=tmp_path)
    with pytest.raises(PluginError, match=r"processor .led. is in dlclive-processors, .* run: pip install") as caught:
        run_latency(spec, LatencyOptions(simulate=True), json=False)
    assert "\n" not in str(caught.value)
