"""Both connections of a session and its heartbeat process, with a process that is a few lines long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from dlclive_processors.output.channel import SessionChannel
from dlclive_processors.output.lease import Lease, Report, ReportKind, read_reports
from dlclive_processors.output.platform_channel import PORTABLE_VARIABLE, session_channel

PATIENCE = 60.0
"""Seconds; the process starts a Python on a busy computer."""
LEASE = Lease(1.0, 2.0, 3, 1, 0, 4, 0.5)
REPORT = Report(ReportKind.STATUS, 0, 7, 1.0, 2.0, 0.1, 0.2, (1, 2, 3, 4, 5))

ENDS = """
import argparse, select, socket, sys, time
sys.path[:] = {path!r}
from dlclive_processors.output.platform_channel import process_channel
from dlclive_processors.output.lease import Lease, Report, read_leases
parser = argparse.ArgumentParser()
for name in ("--wake", "--connect"):
    parser.add_argument(name, type=int)
options = parser.parse_args()
{before}
channel = process_channel(options.wake, options.connect)
"""

ECHO = """
while True:
    select.select([channel.descriptor], [], [])
    channel.wake()
    leases = channel.read()
    if leases == b"":
        break
    for lease in read_leases(leases or b""):
        channel.write(Report(2, 0, lease.command, 1.0, 2.0, 0.1, 0.2, (1, 2, 3, 4, 5)).pack())
channel.write(Report(11, 0, 99, 1.0, 2.0, 0.1, 0.2, (1, 2, 3, 4, 5)).pack())
channel.close()
"""

HANG = """
channel.write(Report(1, 0, 0, 1.0, 2.0, 0.1, 0.2, (1, 2, 3, 4, 5)).pack())
time.sleep(600)
"""

STRANGER = """
for words in (b"", b"x" * 32, b"x" * 100):
    stranger = socket.create_connection(("127.0.0.1", options.connect))
    stranger.sendall(words)
    stranger.close()
"""


@pytest.fixture(params=["pipes", "socket"])
def channel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionChannel]:
    if request.param == "pipes" and os.name != "posix":
        pytest.skip("the pipes need a POSIX system")
    monkeypatch.setenv(PORTABLE_VARIABLE, "1" if request.param == "socket" else "0")
    channel = session_channel()
    yield channel
    channel.close()


@pytest.fixture
def start(channel: SessionChannel) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(then: str, before: str = "") -> subprocess.Popen[bytes]:
        program = ENDS.format(path=[path for path in sys.path if path], before=before) + then
        processes.append(channel.start([sys.executable, "-I", "-S", "-c", program], None))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def next_report(channel: SessionChannel) -> Report | None:
    """None at the end."""
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        if reports := read_reports(channel.receive(0.05)):
            return reports[-1]
        if channel.ended:
            return None
    raise AssertionError("there is no report")


def test_leases_go_there_reports_come_back_and_the_last_one_is_read(channel: SessionChannel, start) -> None:
    start(ECHO)
    for _ in range(3):
        assert channel.send(LEASE.pack(), urgent=True)
        report = next_report(channel)
        assert report is not None
        assert report.command == LEASE.command
    channel.hang_up()
    last = next_report(channel)
    assert last is not None
    assert (last.kind, last.command) == (ReportKind.CLOSED, 99)
    assert next_report(channel) is None


def test_a_process_that_hangs_never_blocks_the_session(channel: SessionChannel, start) -> None:
    """Sooner or later it is told that nobody reads, and the device's watchdog has acted long before."""
    start(HANG)
    assert next_report(channel) is not None
    began = time.perf_counter()
    while channel.send(LEASE.pack() * 20, urgent=True):
        assert time.perf_counter() - began < PATIENCE
    assert channel.receive(0.0) == b""


def test_the_death_of_the_process_is_noticed(channel: SessionChannel, start) -> None:
    process = start(HANG)
    assert next_report(channel) is not None
    assert not channel.ended
    process.kill()
    assert next_report(channel) is None
    assert channel.ended
    until = time.perf_counter() + PATIENCE
    while channel.send(LEASE.pack(), urgent=True):  # the first may still be taken
        assert time.perf_counter() < until


def test_a_process_that_fails_at_once_has_ended(channel: SessionChannel, start) -> None:
    start("", before="raise SystemExit(1)")
    assert next_report(channel) is None


@pytest.mark.parametrize("channel", ["socket"], indirect=True)
def test_who_does_not_know_the_secret_is_not_taken_for_the_process(channel: SessionChannel, start) -> None:
    start(ECHO, before=STRANGER)
    assert channel.send(LEASE.pack(), urgent=True)
    report = next_report(channel)
    assert report is not None
    assert report.command == LEASE.command


@pytest.mark.parametrize("channel", ["socket"], indirect=True)
def test_a_lease_in_two_pieces_is_one_lease(channel: SessionChannel, start) -> None:
    """A socket is a stream: records may be split anywhere."""
    start(ECHO)
    data = LEASE.pack()
    assert channel.send(data[:10], urgent=True)
    assert channel.receive(0.3) == b""
    assert channel.send(data[10:] + data[:-1], urgent=True)
    report = next_report(channel)
    assert report is not None
    assert report.command == LEASE.command
    assert channel.receive(0.3) == b""
