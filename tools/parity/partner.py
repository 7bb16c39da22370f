"""Two processes of two environments that talk: one line of JSON as a question, one as the answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Message = dict[str, Any]
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def serve(answer: Callable[[Message], Message]) -> None:
    """Answer the lines on standard input until it ends; an exception is answered by its name and first line.

    Whatever else the process prints goes to standard error, so that libraries cannot disturb the conversation.
    """
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            message = answer(json.loads(line))
        except Exception as error:
            first = _COLOURS.sub("", (str(error).strip().splitlines() or [""])[0])
            message = {"error": f"{type(error).__name__}: {textwrap.shorten(first, 120)}"}
        print(json.dumps(message), file=reply, flush=True)


class Partner:
    """The other process.

    Args:
        command: starts it, with the root of the repository in its module path.
        log: where its standard error goes.
        threads: of its computations; None for as many as it likes.
    """

    def __init__(self, command: list[str], log: Path, threads: int | None = 1) -> None:
        self._log = log.open("w")
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
        if threads is not None:
            environment["OMP_NUM_THREADS"] = str(threads)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )

    def ask(self, message: Message) -> Message:
        """Ask and wait for the answer."""
        self.tell(message)
        return self.hear()

    def tell(self, message: Message) -> None:
        """Ask without waiting; `hear` gives the answer."""
        assert self._process.stdin is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)

    def hear(self) -> Message:
        """The answer to the last question; RuntimeError if the process is gone."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other process ended; see {self._log.name}")
        return json.loads(line)

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._log.close()
