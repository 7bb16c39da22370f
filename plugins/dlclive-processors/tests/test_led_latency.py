"""The latency from an LED to the output: a rendered camera, a simulated device, and the truth of both."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from dlclive_processors import LedLatency
from dlclive_processors.led_spot import SpotFinder
from dlclive_processors.led_trials import LedTrials
from dlclive_processors.output.protocol import LONGEST_WATCHDOG, Limits
from dlclive_processors.simulator import ChipRecord, Simulator, compile_firmware

from dlclive_core import Frame, OutputError, Pose, RunInfo, Session, UsageError
from dlclive_core.demo.live import LiveMouse
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource, ProcessorContract, run_info

POSIX = pytest.mark.skipif(os.name != "posix", reason="the simulator needs a POSIX system")
FIRMWARE = Path(__file__).parent.parent / "firmware" / "dlclive_output"
QUICK = {"interval": (0.05, 0.2), "seed": 1}


class LoggedMouse(LiveMouse):
    """Notes when each frame was captured, in `time.perf_counter()`."""

    def __init__(self, light: Path, fps: float = 60.0) -> None:
        super().__init__(fps=fps, light=light)
        self.captured: dict[int, float] = {}

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        self.captured[frame.index] = frame.captured_at
        return frame


def measure(source: LiveMouse, probe: LedLatency) -> None:
    """Run until the measurement is over. Raises what ended it early."""
    session = Session(source=source, model=BlobModel(), processors=[probe])

    def stop() -> None:
        probe.finished.wait()
        session.stop()

    threading.Thread(target=stop, daemon=True).start()
    session.run()
    if probe.error is not None:
        raise probe.error


@pytest.fixture
def light(tmp_path: Path) -> Path:
    path = tmp_path / "light"
    path.write_bytes(b"\0")
    return path


def test_any_error_ends_the_measurement_and_is_told() -> None:
    """Also one that nobody thought of: the measurement must not look complete, and nobody may wait for its end."""

    class Broken:
        led_width = 0.01

        def probe(self) -> int:
            raise ValueError("a fault\nin the program")

    trials = LedTrials(Broken(), 3, (0.1, 0.2), 1.0, SpotFinder(), random.Random(1))  # type: ignore[arg-type]
    trials.start()
    while not trials.finished.is_set():
        trials.see(Frame(np.zeros((4, 4), np.uint8), 0, 0.0))
        time.sleep(0.005)
    trials.join()
    assert str(trials.error) == "the measurement failed: ValueError: a fault in the program"
    assert trials.trials == []


@POSIX
@pytest.mark.parametrize("delay", [0.0, 0.02])
def test_the_device_reports_what_happened(delay: float, light: Path, tmp_path: Path) -> None:
    """Against the pins, which the simulator records by the host's clock, and against the source's own log.

    The simulated device's clock stops while the computer does not run it, so the device may report less than the record, and
    never more. Of most trials, it reports the same.
    """
    with Simulator(tmp_path, f"--light={light}") as simulator:
        source = LoggedMouse(light)
        probe = LedLatency(simulator.port, trials=12, delay=delay, **QUICK)
        measure(source, probe)
        changes = simulator.changes()
    assert len(probe.trials) == 12
    lights = [when for (when, levels), (_, before) in zip(changes[1:], changes, strict=False) if levels & 2 & ~before]
    lights = ([changes[0][0]] if changes[0][1] & 2 else []) + lights
    answers = [when for (when, levels), (_, before) in zip(changes[1:], changes, strict=False) if levels & 1 & ~before]
    errors = []
    for trial, lit in zip(probe.trials, lights[-12:], strict=True):
        if trial.latency is None:  # a busy computer
            continue
        answered = min(when for when in answers if when > lit)
        assert trial.latency <= answered - lit + 0.001
        errors.append(answered - lit - trial.latency)
        assert trial.frame is not None
        captured = source.captured[trial.frame]
        assert captured > lit - 0.001  # the light was on
        assert trial.age >= delay
        assert answered - lit > captured - lit + trial.age - 0.001  # the wait for the frame, and the way to the command
    assert len(errors) >= 6
    assert median(errors) < 0.001
    statistics = probe.statistics
    assert statistics["trials"] == 12
    assert 7 <= statistics["led_x"] <= 13
    assert 220 <= statistics["led_y"] <= 226  # the frame is 240 high, and the light is in its lower left corner


@POSIX
def test_latencies_do_not_follow_the_period_of_the_camera(light: Path, tmp_path: Path) -> None:
    """The LED is switched on at all phases of a slow camera: the wait for the next frame differs from trial to trial."""
    with Simulator(tmp_path, f"--light={light}") as simulator:
        source = LoggedMouse(light, fps=12)
        probe = LedLatency(simulator.port, trials=12, **QUICK)
        measure(source, probe)
        changes = simulator.changes()
    lights = [when for (when, levels), (_, before) in zip(changes[1:], changes, strict=False) if levels & 2 & ~before]
    first = min(source.captured.values())
    phases = np.asarray([(when - first) * 12 % 1 for when in lights])
    assert np.histogram(phases, bins=4, range=(0, 1))[0].max() < len(phases)  # not all in one quarter
    assert phases.std() > 0.05


@POSIX
def test_the_firmware_on_its_processor_measures_in_its_own_time(
    make_chip: Callable[..., list[str]], light: Path, tmp_path: Path
) -> None:
    """A simulated Arduino: each latency is the time between its pins, by its crystal, to a tenth of a millisecond."""
    patient = Limits(watchdog_us=LONGEST_WATCHDOG)
    for attempt in range(5):
        record = tmp_path / f"chip_{attempt}.csv"
        with Simulator(tmp_path, f"--light={light}", "--chip", *make_chip(record, limits=patient)) as simulator:
            probe = LedLatency(simulator.port, trials=3, patience=20, timeout=3, **QUICK)
            try:
                measure(LoggedMouse(light, fps=20), probe)
            except OutputError:  # a busy computer simulates the chip more slowly than even this watchdog allows
                assert attempt < 4
                continue
        if any(trial.latency is not None for trial in probe.trials):
            break
    chip = ChipRecord.read(record)
    lights, answers = [since for since, _ in chip.highs(1)], [since for since, _ in chip.highs(0)]
    true = [min(since for since in answers if since > lit) - lit for lit in lights if lit < answers[-1]]
    measured = [trial.latency for trial in probe.trials if trial.latency is not None]
    assert measured
    for latency in measured:
        assert min(abs(latency - other) for other in true) < 1e-4


@POSIX
def test_an_answer_that_comes_too_late_is_missed_and_false(light: Path, tmp_path: Path) -> None:
    with Simulator(tmp_path, f"--light={light}") as simulator:
        probe = LedLatency(simulator.port, trials=2, delay=0.3, timeout=0.1, **QUICK)
        with pytest.raises(OutputError, match=r"answered none of 2 LEDs within 0\.1 s; .* --timeout"):
            measure(LoggedMouse(light), probe)
    assert [trial.latency for trial in probe.trials] == [None, None]
    assert probe.false_answers == 2
    assert [trial.rest for trial in probe.trials] == [None, None]


@POSIX
def test_an_led_outside_the_view_is_an_error() -> None:
    probe = LedLatency("simulate", trials=2, **QUICK)  # the picture does not show it
    with pytest.raises(
        OutputError, match=r"the LED was not seen: .* levels, and 12 are needed; .* --led X,Y,SIZE"
    ) as caught:
        measure(LiveMouse(fps=60), probe)
    assert caught.value.exit_code == 4
    assert probe.trials == ()


@POSIX
def test_an_led_on_a_channel_that_the_device_lacks_is_refused(light: Path, tmp_path: Path) -> None:
    with (
        Simulator(tmp_path) as simulator,
        pytest.raises(UsageError, match="has 2 channels, counted from 0; the LED's is 5"),
    ):
        measure(LoggedMouse(light), LedLatency(simulator.port, led_channel=5))


@POSIX
def test_a_device_that_allows_too_short_a_pulse_is_refused(light: Path, tmp_path: Path) -> None:
    with Simulator(tmp_path, "--pulse=0.1") as simulator, pytest.raises(UsageError, match=r"pulses of at most 0\.1 s"):
        measure(LoggedMouse(light), LedLatency(simulator.port))


@POSIX
def test_a_board_with_older_firmware_is_refused_in_one_line(light: Path, tmp_path: Path) -> None:
    """The firmware's own code, with the number of the version before."""
    if shutil.which("g++") is None:
        pytest.skip("there is no C++ compiler")
    older = tmp_path / "older"
    shutil.copytree(FIRMWARE, older)
    header = older / "dlclive_output.h"
    text = header.read_text(encoding="utf-8")
    assert "VERSION = 2;" in text
    header.write_text(text.replace("VERSION = 2;", "VERSION = 1;"), encoding="utf-8")
    library = compile_firmware(older, tmp_path / "older.so")
    with Simulator(tmp_path, f"--firmware={library}") as simulator, pytest.raises(OutputError) as caught:
        measure(LoggedMouse(light), LedLatency(simulator.port))
    assert str(caught.value) == (
        f"the device on {simulator.port} has version 1 of the firmware, and this dlclive needs 2; "
        "upload firmware/dlclive_output"
    )


def test_a_port_that_is_not_there_is_an_error(light: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be opened"):
        measure(LoggedMouse(light), LedLatency(str(tmp_path / "none")))


def test_a_camera_that_is_too_slow_is_refused(light: Path) -> None:
    with pytest.raises(UsageError, match=r"delivers 4 frames/s, and 5\.3 are needed"):
        measure(LoggedMouse(light, fps=4), LedLatency("simulate"))


def test_a_recording_is_refused() -> None:
    session = Session(source=BlobSource(frames=5), model=BlobModel(), processors=[LedLatency("simulate")])
    with pytest.raises(UsageError, match="this source is a recording"):
        session.run()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"led": [1, 2]}, r"led is \[1, 2\]; give \[x, y, size\]"),
        ({"led": [1, 2, 0]}, r"give \[x, y, size\]"),
        ({"led": [-1, 2, 5]}, r"give \[x, y, size\]"),
        ({"trials": 0}, "trials is 0"),
        ({"timeout": 0}, "timeout is 0"),
        ({"delay": -0.1}, r"delay is -0\.1"),
        ({"interval": [0.5, 0.2]}, r"interval is \[0\.5, 0\.2\]"),
        ({"interval": [0.5]}, r"interval is \[0\.5\]"),
        ({"channel": 1}, "both channel 1"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        LedLatency("simulate", **options)


def test_it_is_not_used_before_it_is_open() -> None:
    pose = Pose.missing(BlobModel().card.skeleton)
    with pytest.raises(UsageError, match=r"call open\(\) before process\(\)"):
        LedLatency("simulate").process(pose, Frame(np.zeros((4, 4, 3), np.uint8), 0, time.perf_counter()))


@POSIX
class TestLedLatency(ProcessorContract):
    @pytest.fixture
    def processor(self) -> LedLatency:
        return LedLatency("simulate")

    @pytest.fixture
    def run(self) -> RunInfo:
        return replace(run_info(BlobModel().card), is_live=True)


@POSIX
def test_a_session_that_ends_early_ends_the_measurement() -> None:
    probe = LedLatency("simulate")
    Session(source=LiveBlobSource(frames=40, interval=0.01), model=BlobModel(), processors=[probe]).run()
    assert probe.finished.wait(10)
    assert probe.error is None
    assert probe.trials == ()
