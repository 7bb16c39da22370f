"""Waiting for a line's bytes: each arrival is seen once, and the end of the line, too."""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Iterator

import pytest

if os.name != "posix":
    pytest.skip("pseudo-terminals need a POSIX system", allow_module_level=True)

import pty

from dlclive_processors.output.serial_poll import SerialPoll

PATIENCE = 10.0


@pytest.fixture
def line() -> Iterator[list[int]]:
    """[device's end, host's end]; a test that closes one takes it out."""
    ends = list(pty.openpty())
    tty.setraw(ends[1])
    yield ends
    for end in ends:
        os.close(end)


def is_there(poll: SerialPoll, patience: float = 0.0) -> bool:
    ready, _, _ = select.select([poll.descriptor], [], [], patience)
    return bool(ready) and poll.has_data()


def test_each_arrival_is_reported_once(line: list[int]) -> None:
    device, host = line
    poll = SerialPoll(host)
    assert not is_there(poll)
    for message in (b"one", b"two"):
        os.write(device, message)
        assert is_there(poll, PATIENCE)
        assert os.read(host, 100) == message
        assert not is_there(poll, 0.01)


def test_data_that_arrived_earlier_is_reported(line: list[int]) -> None:
    device, host = line
    os.write(device, b"early")
    select.select([host], [], [], PATIENCE)
    assert is_there(SerialPoll(host), PATIENCE)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="as Linux has it")
def test_the_line_is_read_only_when_data_arrived(line: list[int]) -> None:
    """Reading the line can block in the kernel. Unread data is not reported again, which shows that the line was not read."""
    device, host = line
    poll = SerialPoll(host)
    os.write(device, b"one")
    assert is_there(poll, PATIENCE)
    assert not is_there(poll, 0.01)
    os.write(device, b"two")
    assert is_there(poll, PATIENCE)
    assert os.read(host, 100) == b"onetwo"


def test_the_end_of_the_line_is_reported(line: list[int]) -> None:
    poll = SerialPoll(line[1])
    os.close(line.pop(0))
    assert is_there(poll, PATIENCE)
