"""Emulated cameras: pylon's emulator, the GenTL producer in genicam's wheel, a stream from another process."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlclive_core import Frame, FrameSource


def read(source: FrameSource, patience: float = 30.0) -> Frame:
    """The next frame, across timeouts of `read`."""
    until = time.monotonic() + patience
    while True:
        try:
            return source.read(0.1)
        except TimeoutError:
            assert time.monotonic() < until, f"no frame within {patience} s; {source.trouble}"


def wait_for_loss(source: FrameSource, patience: float = 30.0) -> float:
    """Read until the source reports trouble; return the seconds that took."""
    began = time.perf_counter()
    while not source.trouble:
        try:
            source.read(0.1)
        except TimeoutError:
            assert time.perf_counter() - began < patience, "the source did not notice"
    return time.perf_counter() - began


class Cameras:
    """The functions above, for tests: with importlib's import mode, tests cannot import one another."""

    read = staticmethod(read)
    wait_for_loss = staticmethod(wait_for_loss)

    @staticmethod
    def counted(source: FrameSource, frames: int) -> int:
        """Frames accounted for: read, corrupt, skipped and lost."""
        return frames + source.corrupt + source.skipped + source.lost


@pytest.fixture
def cameras() -> type[Cameras]:
    return Cameras


class Server:
    """A stream of numbered pictures from another process, on a fixed port."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/live"
        self._process: subprocess.Popen[str] | None = None

    def start(self, kind: str = "mpjpeg", fps: float = 50, first: int = 0) -> None:
        script = Path(__file__).parent / "stream_server.py"
        command = [sys.executable, str(script), str(self.port), kind, str(fps), str(first)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "listening"

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            assert self._process.stdout is not None
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.kill()


@pytest.fixture
def number_in() -> Callable[[Frame], int]:
    """The number that the server drew into a frame."""

    def number(frame: Frame) -> int:
        bits = frame.image[8, 8:192:16].mean(axis=1) > 127
        return sum(1 << index for index, bit in enumerate(bits) if bit)

    return number
