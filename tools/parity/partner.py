"""Communication between processes of two environments: one line of JSON per request, one per reply."""

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
    """Answer the requests on standard input until it ends. The reply to an exception is its name and first line.

    All other output of the process goes to standard error, so that libraries cannot corrupt the replies.
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
    """A helper process that answers requests.

    Args:
        command: the command that starts it. The root of the repository is in its module path.
        log: the file for its standard error.
        threads: the number of OpenMP threads; None: the default of the libraries.
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
        """Send a request and wait for the reply. Raises RuntimeError if the process has ended."""
        self.send(message)
        return self.receive()

    def send(self, message: Message) -> None:
        """Send a request without waiting; `receive` returns the reply."""
        assert self._process.stdin is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)

    def receive(self) -> Message:
        """The reply to the last request. Raises RuntimeError if the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other process ended; see {self._log.name}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._log.close()
