"""The viewer's process: its connection to the session, its start and its end."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dlclive_io.screen.pipe_messages import MARK, NUMBERS, PICTURE, receive

_NICE = 5  # the session's loop has priority


@dataclass(frozen=True, slots=True)
class Update:
    """An update of the session: the header of `viewer_update`, and the image if there is a new one."""

    header: dict[str, Any]
    image: NDArray[np.uint8] | None


class DisplayError(Exception):
    """The display cannot start; the session raises it as an error of this `kind`: "usage" or "dependency"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class SessionConnection:
    """Requests updates from the session. Used by one thread."""

    def __init__(self, updates: BinaryIO, requests: BinaryIO) -> None:
        self._updates, self._requests = updates, requests

    def report(self, outcome: dict[str, str]) -> None:
        """Send the one line that the session waits for: {"ready": address}, or {"error": message, "kind": ...}."""
        self._requests.write(json.dumps(outcome).encode() + b"\n")
        self._requests.flush()

    def ready(self, address: str) -> None:
        """Report that the display is visible, and where."""
        self.report({"ready": address})

    def request(self, *, picture: bool) -> Update | None:
        """Request the newest picture with its numbers, or the numbers alone; None if the session is gone."""
        try:
            self._requests.write(PICTURE if picture else NUMBERS)
            self._requests.flush()
            received = receive(self._updates.read)
        except OSError:
            return None
        return None if received is None else Update(*received)

    def mark(self) -> None:
        """Mark the frame that comes next."""
        with contextlib.suppress(OSError):  # the session is gone: the next request tells
            self._requests.write(MARK)
            self._requests.flush()


def main(module: str) -> None:
    """Run `show(hello, session)` of a module until the session ends or is killed, or the user closes the display."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the session handles it and ends this process
    if sys.platform != "win32":
        os.nice(_NICE)
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    requests = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for a request
    session = SessionConnection(sys.stdin.buffer, requests)
    received = receive(sys.stdin.buffer.read)
    if received is None:
        return
    show: Callable[[dict[str, Any], SessionConnection], None] = importlib.import_module(
        f"dlclive_io.screen.{module}"
    ).show
    try:
        show(received[0], session)
    except DisplayError as error:
        with contextlib.suppress(OSError):
            session.report({"error": str(error), "kind": error.kind})


def _end_with(parent: int) -> None:
    """End when the session is killed, even if a process that it forked keeps the pipe open."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
