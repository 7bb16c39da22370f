"""Measures how long a laser stays on after a fault. The sessions are real; the device is simulated with the firmware's code."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from dlclive_processors import Reason, SerialOutput
from dlclive_processors.simulator import Simulator, compile_firmware

from tools.faults.host_process import HOST_ENVIRONMENT, host_command
from tools.faults.laser import SIGNALS

HERE = Path(__file__).parent
SKETCH = HERE.parent.parent / "plugins" / "dlclive-processors" / "firmware" / "dlclive_output"
ALLOWED = 0.1  # seconds
OPTIONS = ("--pulse=60", "--train=60", "--duty=1")


@dataclass(frozen=True, slots=True)
class OffTimes:
    """How long the laser stayed on after a fault in each run, in seconds, by the device's record."""

    fault: str
    seconds: tuple[float, ...]

    @property
    def worst(self) -> float:
        return max(self.seconds)

    @property
    def in_time(self) -> int:
        return sum(seconds <= ALLOWED for seconds in self.seconds)


@dataclass(frozen=True, slots=True)
class Idle:
    """The result of an idle run: the heartbeat runs and the output is off.

    Attributes:
        trips: trips of the device's watchdog.
        stalls: how often the round trip of a byte took 40 ms or more on another pseudo-terminal, at the same priority and
            without our code in between. Such a stall is the computer's: the kernel forwards the bytes late.
        longest_stall: the longest of these round trips, in seconds.
        longest_trip, round_trip: the longest and the median round trip of a heartbeat, in seconds.
    """

    seconds: float
    trips: int
    stalls: int
    longest_stall: float
    longest_trip: float
    round_trip: float


@contextmanager
def device(folder: Path) -> Iterator[Simulator]:
    """A simulated device: the compiled firmware if there is a compiler, otherwise its Python twin."""
    options = list(OPTIONS)
    if shutil.which("g++"):
        library = Path(tempfile.gettempdir()) / f"dlclive-firmware-{os.getpid()}.so"
        if not library.exists():
            compile_firmware(SKETCH, library)
        options.append(f"--firmware={library}")
    with Simulator(folder, *options) as simulator:
        yield simulator


@contextmanager
def laser_host(port: str, fault: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = host_command("laser_host", port, fault, folder / "events.csv")
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=HOST_ENVIRONMENT)
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                child.resume()  # a stopped heartbeat process, which ends by itself
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class NeverOn(Exception):  # noqa: N818 - not an error of the tested code
    """The laser was not on when the fault happened, so nothing was measured."""


def off_time(fault: str, moment: random.Random) -> float:
    """Seconds from a fault, one of FAULTS, until the laser is off."""
    for attempt in range(3):
        with tempfile.TemporaryDirectory() as name, device(Path(name)) as simulator:
            try:
                return _off_time(fault, moment, simulator, Path(name))
            except NeverOn:  # the computer stalled while the laser was switched on, so the trigger was revoked
                if attempt == 2:
                    raise
    raise AssertionError


def _off_time(fault: str, moment: random.Random, simulator: Simulator, folder: Path) -> float:
    with laser_host(simulator.port, fault, folder) as host:
        try:
            simulator.wait(on=True, timeout=20)
        except TimeoutError:
            logs = "\n".join(path.read_text() for path in folder.glob("*.*"))
            if host.poll() is not None and "not acknowledged" not in logs:
                raise AssertionError(logs) from None
            raise NeverOn(logs) from None
        if fault in SIGNALS:
            time.sleep(moment.uniform(0.05, 0.3))
            killed = [host.pid]
            if fault == SIGNALS[-1]:  # only the device remains
                killed += [child.pid for child in psutil.Process(host.pid).children()]
                assert len(killed) == 2
            was_on = simulator.is_on()
            began = time.perf_counter()
            for process in reversed(killed):
                os.kill(process, getattr(signal, fault.split()[0]))
        else:
            assert host.stdout is not None
            began = float(host.stdout.readline())
            was_on = True
        ended = simulator.wait(on=False, timeout=10)
        if not was_on or (fault != "end" and ended < began):
            raise NeverOn("the laser was off before the fault: " + (folder / "events.csv").read_text())
        time.sleep(0.1)
        assert not simulator.is_on(), "the laser was switched on again"
    if fault != SIGNALS[-1]:
        check_events(folder / "events.csv", simulator)
    return ended - began


def check_events(path: Path, simulator: Simulator) -> None:
    """Check that the event file has every switch on and off, although its session was killed.

    "lost" is an OFF that the device acknowledged too late or never; the watchdog switched the laser off.
    """
    until = time.perf_counter() + 2  # the heartbeat process writes the file after the session's death
    while True:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        ons = [row for row in rows if row["event"] == "on"]
        offs = [row for row in rows if row["event"] in ("off", "trip", "lost")]
        if ons and offs and len(ons) == sum(levels != 0 for _, levels in simulator.changes()):
            assert all(row["device_time"] and row["frame"] and float(row["age"]) < 0.1 for row in ons)
            return
        assert time.perf_counter() < until, rows
        time.sleep(0.01)


def off_times(fault: str, runs: int, seed: int = 0) -> OffTimes:
    moment = random.Random(seed)
    return OffTimes(fault, tuple(off_time(fault, moment) for _ in range(runs)))


def idle(seconds: float) -> Idle:
    """Run the heartbeat with the output off, and count the trips."""
    stalls: list[float] = []
    with tempfile.TemporaryDirectory() as name, device(Path(name)) as simulator:
        with opened(simulator.port) as output, line_watch(stalls):
            until = time.perf_counter() + seconds
            frame = 0
            while time.perf_counter() < until:
                output.renew(False, Reason.CONDITION, frame, 0.0)
                frame += 1
                time.sleep(0.01)
            statistics = output.statistics
        assert not simulator.changes(), "the output was switched on by itself"
    long = [stall for stall in stalls if stall >= 0.04]
    return Idle(seconds, statistics.trips, len(long), max(stalls), statistics.longest_trip, statistics.round_trip)


@contextmanager
def opened(port: str) -> Iterator[SerialOutput]:
    output = SerialOutput(port=port)
    output.open(time.perf_counter())
    try:
        yield output
    finally:
        output.close()


LINE_WATCH = """
import os, pty, threading, time, tty
from dlclive_processors.output.priority import request_realtime_priority
request_realtime_priority()
master, slave = pty.openpty()
tty.setraw(slave)
def answer():
    while True:
        os.write(master, os.read(master, 100))
threading.Thread(target=answer, daemon=True).start()
while True:
    began = time.perf_counter()
    os.write(slave, b"x")
    os.read(slave, 100)
    print(time.perf_counter() - began, flush=True)
    time.sleep(0.005)
"""


@contextmanager
def line_watch(stalls: list[float]) -> Iterator[None]:
    """Collect the round-trip times of a byte on another pseudo-terminal, without our code in between."""
    watch = subprocess.Popen([sys.executable, "-c", LINE_WATCH], stdout=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    reader = threading.Thread(target=lambda: stalls.extend(float(line) for line in watch.stdout or ()), daemon=True)
    reader.start()
    try:
        yield
    finally:
        watch.kill()
        watch.wait()
        reader.join(2)
        watch.stdout.close()
