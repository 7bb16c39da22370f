"""The pipes of the heartbeat process: with many open files, without standard streams, after a fork."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dlclive_processors.output.platform_channel import PORTABLE_VARIABLE
from dlclive_processors.simulator import Simulator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="outputs on a serial port need a POSIX system")

ALLOWED = 2.0
"""Seconds; `nox -s faults` measures the real time. A child that renewed would keep the output on for longer."""
PATIENCE = 30.0

HOST = """
import os, sys, time
from pathlib import Path
from dlclive_core import DLCLiveError
from dlclive_processors import Reason, SerialOutput

port, result = sys.argv[1], Path(sys.argv[2])
{before}
output = SerialOutput(port=port, width=50, lifespan=0.5, events=result.with_suffix(".csv"))
try:
    output.open(time.perf_counter())
    for number in range({count}):
        output.renew(number > 10, Reason.CONDITION, number, 0.0)
        time.sleep(0.005)
        {each}
    output.close()
except DLCLiveError as error:
    result.write_text(str(error))
else:
    result.write_text("fine")
"""


def host(
    simulator: Simulator, result: Path, *, count: int = 60, before: str = "", each: str = "", **options
) -> subprocess.Popen:
    script = HOST.format(before=before, each=each, count=count)
    return subprocess.Popen(
        [sys.executable, "-c", script, simulator.port, str(result)], start_new_session=True, **options
    )


@pytest.fixture(params=["pipes", "socket"], autouse=True)
def connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both connections of the session and its heartbeat process; Windows has the socket only."""
    monkeypatch.setenv(PORTABLE_VARIABLE, "1" if request.param == "socket" else "0")
    return request.param


@pytest.fixture
def simulator(tmp_path: Path):
    with Simulator(tmp_path, "--pulse=60", "--train=60", "--duty=1", "--watchdog=0.1") as made:
        yield made


MANY = """
import resource
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
keep = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
"""


def test_more_than_a_thousand_open_files(simulator: Simulator, tmp_path: Path) -> None:
    process = host(simulator, tmp_path / "result", before=MANY)
    assert process.wait(PATIENCE) == 0
    assert (tmp_path / "result").read_text() == "fine"
    assert simulator.changes()


@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2), (2,)])
def test_without_standard_streams(closed: tuple[int, ...], simulator: Simulator, tmp_path: Path) -> None:
    """As under a service manager, or in a daemon that closed them."""

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    process = host(simulator, tmp_path / "result", preexec_fn=close)
    process.wait(PATIENCE)
    assert (tmp_path / "result").read_text() == "fine"
    assert simulator.changes()
    assert (tmp_path / "result.csv").read_text().splitlines()[0].startswith("sequence,event")


CLOSED = """
os.close(0)
os.close(1)

def shout():
    try:
        print("x" * 5000, flush=True)
    except OSError:
        pass
"""


def test_printing_after_stdout_was_closed_does_not_write_into_a_pipe(simulator: Simulator, tmp_path: Path) -> None:
    process = host(simulator, tmp_path / "result", before=CLOSED, each="shout()")
    process.wait(PATIENCE)
    assert (tmp_path / "result").read_text() == "fine"
    assert simulator.changes()


def test_a_forked_child_does_not_keep_an_output_on(simulator: Simulator, tmp_path: Path) -> None:
    process = host(simulator, tmp_path / "result", count=10_000, each="number == 30 and os.fork()")
    try:
        simulator.wait(on=True, timeout=PATIENCE)
        time.sleep(0.5)
        assert simulator.is_on()
        killed = time.perf_counter()
        process.kill()
        assert simulator.wait(on=False) - killed < ALLOWED
        process.wait(PATIENCE)
        until = time.perf_counter() + PATIENCE
        while not (tmp_path / "result").exists():  # the child learns that it has no output
            assert time.perf_counter() < until
            time.sleep(0.01)
        assert "forked" in (tmp_path / "result").read_text()
        assert not simulator.is_on()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_forked_child_that_closes_does_not_close_its_parents_output(simulator: Simulator, tmp_path: Path) -> None:
    each = "number == 30 and os.fork() == 0 and (output.off(Reason.END), output.close(), os._exit(0))"
    process = host(simulator, tmp_path / "result", count=300, each=each)
    simulator.wait(on=True, timeout=PATIENCE)
    assert process.wait(PATIENCE) == 0
    assert (tmp_path / "result").read_text() == "fine"
    assert [levels for _, levels in simulator.changes()] == [1, 0]
