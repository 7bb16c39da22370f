"""What a device says of itself is not taken on trust: its watchdog, its statuses, its version."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from dlclive_processors import Reason, SerialOutput
from dlclive_processors.output.failure_messages import failure_error
from dlclive_processors.output.lease import Failure, Report, ReportKind
from dlclive_processors.output.protocol import LIMITS, STATE, VERSION, read_answer
from dlclive_processors.simulator import Simulator

from dlclive_core import OutputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="outputs on a serial port need a POSIX system")


@pytest.mark.parametrize(
    ("watchdog", "said"), [("60", "60000 ms"), ("0.101", "101 ms"), ("0.004", "4 ms"), ("0", "0 ms")]
)
def test_a_watchdog_that_cannot_protect_is_refused(watchdog: str, said: str, tmp_path: Path) -> None:
    with Simulator(tmp_path, f"--watchdog={watchdog}") as simulator:
        output = SerialOutput(port=simulator.port, events=tmp_path / "events.csv")
        with pytest.raises(OutputError, match=rf"has a watchdog of {said}; it must be 5 to 100 ms") as caught:
            output.open(time.perf_counter())
        assert caught.value.exit_code == 4
        assert simulator.port in str(caught.value)
        assert output.process_id is None
        assert not simulator.changes()


@pytest.mark.parametrize("watchdog", ["0.05", "0.1"])
def test_a_watchdog_within_the_bounds_is_taken(watchdog: str, tmp_path: Path) -> None:
    with Simulator(tmp_path, f"--watchdog={watchdog}") as simulator:
        output = SerialOutput(port=simulator.port)
        output.open(time.perf_counter())
        assert output.limits is not None
        assert output.limits.watchdog_us == round(1e6 * float(watchdog))
        output.close()


def test_an_unknown_status_switches_off_and_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Simulator(tmp_path, "--pulse=60", "--train=60", "--watchdog=0.1", "--duty=1") as simulator:
        output = SerialOutput(port=simulator.port, width=50, lifespan=0.5, events=tmp_path / "events.csv")
        output.open(time.perf_counter())
        until = time.perf_counter() + 10
        while not simulator.is_on():
            assert time.perf_counter() < until
            output.renew(True, Reason.CONDITION, 0, 0.0)
            time.sleep(0.005)
        simulator.fault("status 99")
        with pytest.raises(OutputError, match=f"{simulator.port} answered with the unknown status 99"):
            while time.perf_counter() < until:
                output.renew(True, Reason.CONDITION, 0, 0.0)
                time.sleep(0.005)
        simulator.wait(on=False)
        output.close()
        assert (tmp_path / "events.csv").read_text().splitlines()[-1].split(",")[1:3] == ["failed", "unknown status"]
    assert "Traceback" not in capfd.readouterr().err


def test_an_unknown_status_of_the_first_answer_is_named(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        simulator.fault("status 200")
        with pytest.raises(OutputError, match="unknown status 200"):
            SerialOutput(port=simulator.port).open(time.perf_counter())


def test_the_version_in_the_limits_is_read() -> None:
    """A device that does not know the host's version may still answer with its own."""
    state = STATE.pack(0x81, 1, 0, 0, 0, 1, 0, 0, 0)
    answer = read_answer(state + LIMITS.pack(VERSION + 1, 2, 50_000, 1_000_000, 10_000_000, 500))
    assert answer is not None
    assert answer.version == VERSION + 1


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_a_message_of_one_line(failure: Failure) -> None:
    error = failure_error(Report(ReportKind.FAILED, failure, 0, 0.0, 0.0, 0.0, 0.0, (5, 0, 0, 0, 0)), "/dev/ttyX")
    assert "/dev/ttyX" in str(error)
    assert "\n" not in str(error)
