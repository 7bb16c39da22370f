"""The viewer's side of the pipe, and how its process begins and ends."""

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

from dlclive_io.screen.pipe_messages import NUMBERS, PICTURE, receive

_NICE = 5  # the loop goes first where cores are short


@dataclass(frozen=True, slots=True)
class Answer:
    """What the session said: the header of `pictures.answer`, and the image if there is a new one."""

    header: dict[str, Any]
    image: NDArray[np.uint8] | None


class DisplayError(Exception):
    """Nothing can be shown. `kind` is "usage", "dependency" or "screen"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class SessionConnection:
    """Asks the session for what is new. Used by one thread."""

    def __init__(self, answers: BinaryIO, questions: BinaryIO) -> None:
        self._answers, self._questions = answers, questions

    def say(self, first: dict[str, str]) -> None:
        """The one line that the session waits for."""
        self._questions.write(json.dumps(first).encode() + b"\n")
        self._questions.flush()

    def ready(self, where: str) -> None:
        """Say that something can be seen, and where."""
        self.say({"ready": where})

    def next(self, *, picture: bool) -> Answer | None:
        """The newest picture with its numbers, or only the numbers; None if the session is gone."""
        try:
            self._questions.write(PICTURE if picture else NUMBERS)
            self._questions.flush()
            received = receive(self._answers.read)
        except OSError:
            return None
        return None if received is None else Answer(*received)


def main(module: str) -> None:
    """Run `show(hello, session)` of a module until the session ends or is killed, or the user closes the display."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the session hears it and ends this
    if hasattr(os, "nice"):
        os.nice(_NICE)
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    questions = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for a question
    session = SessionConnection(sys.stdin.buffer, questions)
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
            session.say({"error": str(error), "kind": error.kind})


def _end_with(parent: int) -> None:
    """End when the session was killed, also where a process that it forked keeps the pipe open."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
