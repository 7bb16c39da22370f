"""Both serial lines on a pseudo-terminal: what arrives, what is sent, and a port that goes away."""

from __future__ import annotations

import os
import select
import time
import tty
from collections.abc import Callable, Iterator

import pytest

if os.name != "posix":
    pytest.skip("pseudo-terminals need a POSIX system", allow_module_level=True)

import pty

from dlclive_processors.output.channel import Line
from dlclive_processors.output.platform_channel import open_line

PATIENCE = 10.0


@pytest.fixture
def device() -> Iterator[list[int]]:
    """[device's end, host's end], the latter so that the port exists before it is opened."""
    ends = list(pty.openpty())
    tty.setraw(ends[1])
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture(params=["descriptor", "threaded"])
def opened(request: pytest.FixtureRequest, device: list[int]) -> Iterator[Callable[[], Line]]:
    lines: list[Line] = []

    def opened() -> Line:
        lines.append(open_line(os.ttyname(device[1]), 115200, portable=request.param == "threaded"))
        return lines[-1]

    yield opened
    for line in lines:
        line.close()


def has_data(line: Line, patience: float) -> bool:
    until = time.perf_counter() + patience
    while (remaining := until - time.perf_counter()) > 0:
        ready, _, _ = select.select([line.descriptor], [], [], remaining)
        if ready and line.has_data():
            return True
    return False


def test_what_the_device_sends_arrives_once(opened: Callable[[], Line], device: list[int]) -> None:
    line = opened()
    assert not has_data(line, 0.01)
    for message in (b"one", b"\x00\x11\x13\r\n\xff"):
        os.write(device[0], message)
        received = b""
        while len(received) < len(message):
            assert has_data(line, PATIENCE)
            received += line.read()
        assert received == message
        assert not has_data(line, 0.05)


def test_the_device_gets_what_is_sent(opened: Callable[[], Line], device: list[int]) -> None:
    opened().write(b"\x00beat\x00")
    assert select.select([device[0]], [], [], PATIENCE)[0]
    assert os.read(device[0], 100) == b"\x00beat\x00"


def test_a_device_that_takes_nothing_does_not_hold_the_loop(opened: Callable[[], Line], device: list[int]) -> None:
    """A pseudo-terminal holds some kilobytes, on a busy machine some tens; what is beyond is lost."""
    line = opened()
    began = time.perf_counter()
    for _ in range(40):
        line.write(bytes(10_000))
    assert time.perf_counter() - began < PATIENCE
    assert len(os.read(device[0], 500_000)) < 400_000


def test_a_port_that_goes_away_is_an_error(opened: Callable[[], Line], device: list[int]) -> None:
    line = opened()
    os.close(device.pop(0))
    with pytest.raises(OSError):
        while has_data(line, PATIENCE):
            line.read()


@pytest.mark.parametrize("portable", [False, True])
def test_a_port_that_is_open_elsewhere_or_missing_is_an_error(portable: bool, opened, device: list[int]) -> None:
    opened()
    with pytest.raises(OSError):
        open_line(os.ttyname(device[1]), 115200, portable=portable)
    with pytest.raises(OSError) as caught:
        open_line("/dev/none-of-this-name", 115200, portable=portable)
    assert caught.value.errno == 2
