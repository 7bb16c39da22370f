"""The sketch on a simulated Arduino behind a port that the output opens like a board's: faults of the host and of the line.

The processor runs as fast as the clock on the wall, or slower on a busy computer, and its limits are judged in its own time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from dlclive_processors import Reason, SerialOutput
from dlclive_processors.output.protocol import Limits
from dlclive_processors.simulator import ChipRecord, Simulator

from dlclive_core import OutputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="outputs on a serial port need a POSIX system")

SLACK = 0.002
"""Seconds by which the sketch may be late: here messages wait behind others, a few bytes, before it reads them."""
PATIENCE = 30.0
LIMITS = Limits(watchdog_us=100_000, pulse_us=30_000_000, train_us=30_000_000, duty_permille=1000)
LASER = {"width": 30.0, "lifespan": 1.0, "patience": 20.0}

HOST = """
import sys, time
from dlclive_processors import Reason, SerialOutput
output = SerialOutput(port=sys.argv[1], width=30, lifespan=1, patience=20)
output.open(time.perf_counter())
print(output.process_id, flush=True)
for number in range(100_000):
    output.renew(number % 100 > 10, Reason.CONDITION, number, 0.0)
    time.sleep(0.005)
"""


class Board:
    """A simulated Arduino, its port, and its record."""

    def __init__(self, simulator: Simulator, record: Path, limits: Limits) -> None:
        self.simulator, self.port, self._path, self.limits = simulator, simulator.port, record, limits

    def record(self) -> ChipRecord:
        """What happened so far, which broke no promise."""
        record = ChipRecord.read(self._path)
        assert record.broken_promises(self.limits, SLACK) == []
        return record


@pytest.fixture
def make_board(make_chip: Callable[..., list[str]], tmp_path: Path) -> Iterator[Callable[..., Board]]:
    simulators: list[Simulator] = []

    def make(limits: Limits | None = LIMITS) -> Board:
        record = tmp_path / "chip.csv"
        simulators.append(Simulator(tmp_path, "--chip", *make_chip(record, limits=limits)))
        return Board(simulators[-1], record, limits or Limits())

    yield make
    for simulator in simulators:
        simulator.__exit__(None, None, None)


@pytest.fixture
def board(make_board: Callable[..., Board]) -> Board:
    return make_board()


@pytest.fixture
def output(board: Board) -> Iterator[SerialOutput]:
    """Open, and on."""
    made = SerialOutput(port=board.port, **LASER)
    made.open(time.perf_counter())
    switch_on(made, board)
    yield made
    made._failed = True  # what close says is the test's own business
    made.close()


def keep(output: SerialOutput, want: bool, seconds: float = 0.1) -> None:
    """What a session does: renew at every frame."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        output.renew(want, Reason.CONDITION, 7, 0.004)
        time.sleep(0.005)


def switch_on(output: SerialOutput, board: Board) -> None:
    """Until it is on: a computer that stands still for 30 ms in that moment has it taken back, as it should be."""
    for _ in range(20):
        keep(output, True)
        if output.is_on and board.simulator.is_on():
            return
        keep(output, False, 0.05)
    raise AssertionError("it is not switched on")


def test_the_output_is_switched_on_and_off(output: SerialOutput, board: Board) -> None:
    keep(output, True, 0.3)
    keep(output, False, 0.05)
    board.simulator.wait(on=False)
    assert output.limits == LIMITS
    assert board.record().longest_high(0) > 0.1


def test_the_sketch_as_it_is(make_board: Callable[..., Board]) -> None:
    """With its own limits: pulses of 5 ms, 20 a second."""
    board = make_board(None)
    output = SerialOutput(port=board.port, width=0.005, frequency=20, duration=0.5, patience=20)
    output.open(time.perf_counter())
    assert output.limits == Limits()
    until = time.perf_counter() + PATIENCE
    while sum(to - since > 0.004 for since, to in board.record().highs(0)) < 10:
        assert time.perf_counter() < until
        keep(output, True, 0.6)
        keep(output, False, 0.1)
    output.close()
    assert board.record().longest_high(0) < 0.005 + SLACK


@pytest.mark.parametrize("fault", ["SIGKILL", "SIGSTOP"])
def test_the_heartbeat_process_dies_or_hangs(fault: str, output: SerialOutput, board: Board) -> None:
    """The board's watchdog acts, in its own time."""
    os.kill(output.process_id or 0, getattr(signal, fault))
    board.simulator.wait(on=False, timeout=PATIENCE)
    with pytest.raises(OutputError):
        keep(output, True, PATIENCE)
    record = board.record()
    ((_, off),) = record.highs(0)[-1:]
    assert 0.1 <= off - record.proofs(0.1)[-1] < 0.1 + SLACK
    os.kill(output.process_id or os.getpid(), signal.SIGCONT)


@pytest.mark.parametrize("fault", ["SIGKILL", "SIGSTOP", "SIGKILL of both", "SIGSTOP of both"])
def test_the_host_dies_or_hangs(fault: str, board: Board) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, board.port], stdout=subprocess.PIPE, text=True)
    try:
        assert host.stdout is not None
        heartbeat = psutil.Process(int(host.stdout.readline()))
        board.simulator.wait(on=True, timeout=PATIENCE)
        number = signal.SIGKILL if fault.startswith("SIGKILL") else signal.SIGSTOP
        if fault.endswith("both"):
            heartbeat.send_signal(number)
        host.send_signal(number)
        board.simulator.wait(on=False, timeout=PATIENCE)
        assert len(board.record().highs(0)) >= 1
        for signalled in (heartbeat, psutil.Process(host.pid)):
            if signalled.is_running():
                signalled.kill()
    finally:
        host.kill()
        host.communicate()
    assert board.record().pins[-1][1] == 0


def test_the_session_does_not_renew(output: SerialOutput, board: Board) -> None:
    board.simulator.wait(on=False, timeout=PATIENCE)
    assert board.record().longest_high(0) > 0.1


def test_the_board_restarts(output: SerialOutput, board: Board) -> None:
    board.simulator.fault("restart")
    with pytest.raises(OutputError, match="restarted"):
        keep(output, True, PATIENCE)
    board.simulator.wait(on=False)
    assert len(board.record().resets) == 2  # the first when its port was opened


@pytest.mark.parametrize("fault", ["wrong-echo 1", "mute 1", "delay 0.3"])
def test_answers_that_are_wrong_missing_or_late(fault: str, output: SerialOutput, board: Board) -> None:
    board.simulator.fault(fault)
    with pytest.raises(OutputError):
        keep(output, True, PATIENCE)
    board.simulator.wait(on=False)
    assert len(board.record().highs(0)) >= 1


@pytest.mark.parametrize("fault", ["noise", "half"])
def test_noise(fault: str, output: SerialOutput, board: Board) -> None:
    """A tenth of the messages spoiled, both ways."""
    board.simulator.fault(f"{fault} 0.1")
    before, switched = len(board.record().pins), 0
    until = time.perf_counter() + PATIENCE
    while switched < 4 or output.statistics.noise == 0:
        assert time.perf_counter() < until
        keep(output, True, 0.1)
        switched += output.is_on
        keep(output, False, 0.1)
    board.simulator.fault(f"{fault} 0")
    keep(output, False, 0.2)
    board.simulator.wait(on=False)
    assert len(board.record().pins) >= before + 7
