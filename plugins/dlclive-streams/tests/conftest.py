"""Real receivers in other processes, and what tests wait for."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds; generous, because a busy machine is not a failure


class Receiver:
    """A receiver in another process, which prints each message as a line of JSON."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.ready = self.next()
        """What it said first: "ready", or where it listens."""

    @property
    def is_empty(self) -> bool:
        """Whether no message is waiting to be taken."""
        return self._lines.empty()

    def next(self) -> Any:
        """The next message."""
        try:
            message = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no message within {PATIENCE:g} s") from None
        assert message is not None, f"the receiver ended with exit code {self.process.wait()}"
        return message

    def take(self, count: int) -> list[Any]:
        """The next messages."""
        return [self.next() for _ in range(count)]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)


@pytest.fixture
def start_receiver() -> Iterator[Callable[..., Receiver]]:
    """Starts a receiver of this folder, `start_receiver("receive_zmq.py", address)`, and ends it after the test."""
    started: list[Receiver] = []

    def start(script: str, *arguments: object) -> Receiver:
        started.append(Receiver(script, *arguments))
        return started[-1]

    yield start
    for receiver in started:
        receiver.close()


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Waits until a condition holds."""

    def wait(condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, f"it did not come within {PATIENCE:g} s"
            time.sleep(0.005)

    return wait


@pytest.fixture
def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def open_with_subscriber(start_receiver: Callable[..., Receiver]) -> Callable[..., Receiver]:
    """Opens a component whose `patience` waits for the subscriber that is started meanwhile, and returns the subscriber."""

    def open_with(component: Any, opened_with: Any, topic: str = "") -> Receiver:
        opening = threading.Thread(target=component.open, args=(opened_with,))
        opening.start()
        while not component.address:
            opening.join(0.01)
        receiver = start_receiver("receive_zmq.py", component.address, topic)
        opening.join()
        return receiver

    return open_with
