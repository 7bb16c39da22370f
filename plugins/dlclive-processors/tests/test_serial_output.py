"""An output on a port, with the real heartbeat process and a simulated device: faults of the line, of the process, of time."""

from __future__ import annotations

import csv
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from dlclive_processors import Reason, SerialOutput, Stimulate, plugin
from dlclive_processors.output.platform_channel import PORTABLE_VARIABLE
from dlclive_processors.simulator import Simulator

from dlclive_core import OutputError, OutputExistsError, PluginCatalog, ProcessorInfo, Session, UsageError
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import build_component
from dlclive_core.testing import BlobModel, LiveBlobSource

pytestmark = pytest.mark.skipif(os.name != "posix", reason="outputs on a serial port need a POSIX system")

LONG = {"width": 50.0, "lifespan": 0.5}
ALLOWED = 2.0
"""Seconds; a busy computer takes its time, and the watchdog here is twice the usual. That it is 100 ms with the usual
one is measured by `nox -s faults`."""
PATIENCE = 10.0


@pytest.fixture(params=["pipes", "socket"], autouse=True)
def connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both connections of the session and its heartbeat process; Windows has the socket only."""
    monkeypatch.setenv(PORTABLE_VARIABLE, "1" if request.param == "socket" else "0")
    return request.param


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path, "--pulse=60", "--train=60", "--duty=1", "--watchdog=0.1") as made:
        yield made


@pytest.fixture
def make(simulator: Simulator, tmp_path: Path) -> Iterator[Callable[..., SerialOutput]]:
    made: list[SerialOutput] = []

    def output(**options: object) -> SerialOutput:
        made.append(SerialOutput(**{"port": simulator.port, "events": tmp_path / "events.csv", **LONG, **options}))
        made[-1].open(time.perf_counter())
        return made[-1]

    yield output
    for serial_output in made:
        serial_output._failed = True  # what close says is the test's own business
        serial_output.close()


def keep(output: SerialOutput, want: bool, seconds: float = 0.1) -> None:
    """What a session does: renew at every frame."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        output.renew(want, Reason.CONDITION, 7, 0.004)
        time.sleep(0.005)


def switch_on(output: SerialOutput, simulator: Simulator) -> None:
    """Until it is on: a computer that stands still for 30 ms in that moment has it taken back, as it should be."""
    for _ in range(10):
        keep(output, True)
        if output.is_on and simulator.is_on():
            return
        keep(output, False, 0.02)
    raise AssertionError("it does not go on")


def keep_until_it_raises(output: SerialOutput, want: bool, within: float) -> str:
    began = time.perf_counter()
    with pytest.raises(OutputError) as caught:
        keep(output, want, within)
    assert time.perf_counter() - began < within
    return str(caught.value)


def rows(path: Path, event: str | None = None) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if event in (None, row["event"])]


def test_the_output_is_switched_on_and_off(
    make: Callable[..., SerialOutput], simulator: Simulator, tmp_path: Path
) -> None:
    output = make()
    assert not simulator.changes()
    switch_on(output, simulator)
    keep(output, False, 0.05)
    simulator.wait(on=False)
    assert not output.is_on
    output.close()
    on, off, end = rows(tmp_path / "events.csv")[-3:]
    assert (on["event"], on["reason"], on["frame"], on["age"]) == ("on", "condition", "7", "0.004000")
    assert (off["event"], off["reason"], end["event"], end["reason"]) == ("off", "condition", "off", "end")
    assert int(on["sequence"]) < int(off["sequence"])
    for row in (on, off):
        assert float(row["decided"]) <= float(row["sent"]) <= float(row["acknowledged"])
    on_device = float(off["device_time"]) - float(on["device_time"])
    assert 0.02 < on_device < float(off["acknowledged"]) - float(on["sent"]) + 0.001


def test_a_train_of_pulses_ends_by_itself(
    make: Callable[..., SerialOutput], simulator: Simulator, tmp_path: Path
) -> None:
    output = make(width=0.01, frequency=20, duration=0.2)
    for _ in range(10):  # again where a computer that stood still had it taken back
        keep(output, True, 0.4)
        if rows(tmp_path / "events.csv", "ended"):
            break
        keep(output, False, 0.02)
    assert not output.is_on
    assert [levels for _, levels in simulator.changes()][-8:] == [1, 0] * 4
    output.close()
    assert [row["event"] for row in rows(tmp_path / "events.csv")][-3:] == ["on", "ended", "off"]


def test_the_output_is_switched_off_when_it_is_not_renewed(
    make: Callable[..., SerialOutput], simulator: Simulator, tmp_path: Path
) -> None:
    output = make(lifespan=0.06)
    keep(output, True)
    last = time.perf_counter()
    assert simulator.wait(on=False) - last < ALLOWED
    keep(output, True)  # the session goes on, and wants what it wanted: that is not a new wish
    assert not output.is_on
    assert not simulator.is_on()
    output.close()
    assert [row["reason"] for row in rows(tmp_path / "events.csv", "off")] == ["lapsed", "end"]


def test_the_death_of_the_heartbeat_process_ends_the_session(
    make: Callable[..., SerialOutput], simulator: Simulator
) -> None:
    """The device's watchdog acts, and the session learns of it with its next pose."""
    output = make()
    switch_on(output, simulator)
    assert output.process_id is not None
    os.kill(output.process_id, signal.SIGKILL)
    killed = time.perf_counter()
    psutil.Process(output.process_id).wait(5)
    with pytest.raises(OutputError, match="has ended"):
        output.renew(True, Reason.CONDITION, 8, 0.0)
    assert simulator.wait(on=False) - killed < ALLOWED


def test_a_stopped_heartbeat_process_ends_the_session(make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    output = make()
    switch_on(output, simulator)
    assert output.process_id is not None
    os.kill(output.process_id, signal.SIGSTOP)
    stopped = time.perf_counter()
    assert "does not respond" in keep_until_it_raises(output, True, 3)
    assert simulator.changes()[-1][0] - stopped < ALLOWED
    os.kill(output.process_id, signal.SIGKILL)


def test_the_heartbeat_process_ignores_signals_meant_for_the_session(
    make: Callable[..., SerialOutput], simulator: Simulator
) -> None:
    output = make()
    switch_on(output, simulator)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(output.process_id or 0, name)
    keep(output, True)
    assert simulator.is_on()
    output.close()


def test_the_heartbeat_process_is_small(make: Callable[..., SerialOutput]) -> None:
    """No numpy, no torch: what could keep them from running cannot keep the heartbeat."""
    process = psutil.Process(make().process_id)
    if sys.platform == "linux":
        mapped = {Path(item.path).name for item in process.memory_maps()}
        assert not [name for name in mapped if "numpy" in name or "multiarray" in name or "torch" in name]
    assert process.memory_info().rss < 40e6


def test_an_unplugged_port_is_an_error(make: Callable[..., SerialOutput], simulator: Simulator, tmp_path: Path) -> None:
    output = make()
    switch_on(output, simulator)
    simulator.fault("unplug")
    assert "is gone" in keep_until_it_raises(output, True, 5)
    output.close()  # does not say it twice
    assert rows(tmp_path / "events.csv")[-1]["reason"] == "unplugged"


def test_a_device_that_restarts_is_an_error(make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    output = make()
    switch_on(output, simulator)
    simulator.fault("restart")
    assert "restarted" in keep_until_it_raises(output, True, 5)
    simulator.wait(on=False)


@pytest.mark.parametrize("fault", ["wrong-echo 1", "mute 1", "delay 0.2"])
def test_answers_that_are_wrong_missing_or_late(
    fault: str, make: Callable[..., SerialOutput], simulator: Simulator
) -> None:
    """Off, and an error that the session sees."""
    output = make()
    switch_on(output, simulator)
    began = time.perf_counter()
    simulator.fault(fault)
    keep_until_it_raises(output, True, 5)
    assert simulator.wait(on=False) - began < ALLOWED


def test_a_line_that_is_slow_from_the_start_is_refused(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        simulator.fault("delay 0.2")
        output = SerialOutput(port=simulator.port)
        with pytest.raises(OutputError, match="longer than its watchdog allows"):
            output.open(time.perf_counter())
        assert not simulator.changes()


def test_an_off_without_acknowledgement_is_an_error(make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    """Then the beats stop, so that the device does it, and the end of the session says so."""
    output = make()
    switch_on(output, simulator)
    simulator.fault("mute 1")
    time.sleep(0.02)
    began = time.perf_counter()
    with pytest.raises(OutputError, match="did not acknowledge"):
        output.close()
    assert simulator.wait(on=False) - began < ALLOWED


@pytest.mark.parametrize("fault", ["noise", "half"])
def test_noise(fault: str, make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    """A tenth of the messages spoiled, both ways: switching works, nothing goes on by itself, the line is judged rightly."""
    output = make()
    simulator.fault(f"{fault} 0.1")
    switched = 0
    for _ in range(10):
        keep(output, True, 0.08)
        switched += output.is_on
        keep(output, False, 0.08)
        assert not output.is_on
    simulator.fault(f"{fault} 0")
    keep(output, False, 0.2)
    assert not simulator.is_on()
    assert switched >= 4
    assert output.statistics.noise > 0
    assert 0 < output.statistics.round_trip < 0.2
    output.close()


def test_delay_shows_in_the_round_trip(make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    output = make()
    keep(output, False, 0.2)
    direct = output.statistics.round_trip
    simulator.fault("delay 0.03")
    keep(output, False, 1.0)
    assert 0.05 <= output.statistics.round_trip - direct < 0.2
    output.close()


def test_the_wall_clock_does_not_matter(
    make: Callable[..., SerialOutput], simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = make()
    switch_on(output, simulator)
    before = len(simulator.changes())
    wall = time.time
    for step in (3600.0, -3600.0):
        monkeypatch.setattr(time, "time", lambda step=step: wall() + step)
        monkeypatch.setattr(time, "time_ns", lambda step=step: int(1e9 * (wall() + step)))
        keep(output, True)
    assert len(simulator.changes()) == before
    assert simulator.is_on()
    monkeypatch.undo()
    output.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"channel": 5}, "has 2 channels"),
        ({"width": 61}, "pulses of at most 60 s"),
        ({"width": 0.01, "frequency": 20, "duration": 61}, "trains of at most 60 s"),
    ],
)
def test_options_beyond_the_limits_of_the_device_are_refused(
    options: dict[str, float], says: str, make: Callable[..., SerialOutput], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        make(**options)
    assert not (tmp_path / "events.csv").exists()


def test_too_high_a_duty_cycle_and_too_soon_are_refused(tmp_path: Path) -> None:
    with Simulator(tmp_path, "--duty=0.5", "--pulse=0.1") as simulator:
        output = SerialOutput(port=simulator.port, width=0.03, frequency=20)
        with pytest.raises(UsageError, match=r"duty cycle of at most 0\.5"):
            output.open(time.perf_counter())
        events = tmp_path / "events.csv"
        output = SerialOutput(port=simulator.port, width=0.09, events=events)
        output.open(time.perf_counter())
        for _ in range(2):
            keep(output, True, 0.11)
            keep(output, False, 0.01)
        output.close()
        assert [row["reason"] for row in rows(events, "refused")] == ["too soon"]


def test_invalid_ports_are_refused(tmp_path: Path, make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    with pytest.raises(OutputError, match="No such file"):
        SerialOutput(port=str(tmp_path / "none")).open(0.0)
    make()
    with pytest.raises(OutputError, match="cannot be opened"):  # another program has it
        SerialOutput(port=simulator.port).open(0.0)


def test_a_port_without_a_device_is_an_error() -> None:
    import pty

    master, slave = pty.openpty()
    try:
        with pytest.raises(OutputError, match="no answer"):
            SerialOutput(port=os.ttyname(slave), patience=0.3).open(0.0)
    finally:
        os.close(master)
        os.close(slave)


def test_events_are_not_overwritten(make: Callable[..., SerialOutput], tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("mine")
    with pytest.raises(OutputExistsError):
        make()
    assert (tmp_path / "events.csv").read_text() == "mine"
    make(overwrite=True).close()
    assert rows(tmp_path / "events.csv")


def test_opens_again(make: Callable[..., SerialOutput], simulator: Simulator) -> None:
    output = make(events=None)
    output.close()
    output.close()
    output.open(time.perf_counter())
    switch_on(output, simulator)
    assert simulator.is_on()
    output.close()
    simulator.wait(on=False)


@pytest.mark.parametrize("catalogued", [True, False])
def test_a_session_from_a_command_line_spec(catalogued: bool, simulator: Simulator, tmp_path: Path) -> None:
    """The laser is on while the disc is on the right, in a real session, and off afterwards."""
    where = "polygon=[[80,0],[160,0],[160,120],[80,120]],keypoint=k0"
    spec = f"stimulate:{simulator.port},{where},width=20,max_rate=100,events={tmp_path / 'laser.csv'}"
    if catalogued:
        components = tuple(plugin.dlclive_register_processors())
        catalog = PluginCatalog(
            [Plugin(name="p", distribution="d", version="1", status="ready", components=components)]
        )
        laser = build_component(catalog, ProcessorInfo, spec)
    else:
        right = [[80, 0], [160, 0], [160, 120], [80, 120]]
        laser = Stimulate(
            simulator.port, polygon=right, keypoint="k0", width=20, max_rate=100, events=tmp_path / "laser.csv"
        )
    source = LiveBlobSource(frames=130, interval=0.01)  # a circle takes 63 frames
    report = Session(source=source, model=BlobModel(), processors=[laser]).run()
    levels = [levels for _, levels in simulator.changes()]
    assert levels[:2] == [1, 0]
    assert levels[-1] == 0
    ons, lost = rows(tmp_path / "laser.csv", "on"), rows(tmp_path / "laser.csv", "lost")
    assert len(ons) <= levels.count(1) <= len(ons) + len(lost)  # a busy computer may have one taken back
    assert len(ons) + len(lost) >= 3
    assert len(ons) >= 1
    statistics = report.processors[0].statistics
    assert len(ons) <= statistics["switched_on"] <= len(ons) + len(lost)
    assert (statistics["refused"], statistics["noise"]) == (0, 0)
    assert 0 < statistics["round_trip"] <= statistics["longest_trip"]
    for row in ons:
        assert source.truth(int(row["frame"]))[0, 0] > 79
        assert 0 < float(row["age"]) < 0.1


def test_a_source_slower_than_the_lifespan_is_refused(simulator: Simulator) -> None:
    laser = Stimulate(simulator.port, polygon=[[0, 0], [9, 0], [9, 9]], keypoint="k0")
    session = Session(source=LiveBlobSource(interval=0.1), model=BlobModel(), processors=[laser])
    with pytest.raises(UsageError, match=r"give a lifespan of 0\.15 or more"):
        session.run()
