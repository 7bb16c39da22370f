"""Opens missing standard streams, and reserves standard output for results."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_results: TextIO | None = None
_replaced: list[TextIO] = []  # kept, because a stream that is forgotten closes its file


def open_missing_streams() -> None:
    """Open the null device in place of standard streams that are closed, as for a service or with `2>&-`.

    Otherwise the next opened file gets descriptor 0, 1 or 2, and library output ends up in a recording.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)  # takes the lowest free number
    if sys.stdin is None:  # Python found it closed when it started
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    _replaced.extend((sys.stdout, sys.stderr))
    if sys.stdout.isatty():
        sys.stdout = ForgivingStream(sys.stdout.buffer, sys.stdout.encoding, errors="replace", line_buffering=True)
    sys.stderr = ForgivingStream(sys.stderr.buffer, sys.stderr.encoding, errors="backslashreplace", line_buffering=True)


class ForgivingStream(io.TextIOWrapper):
    """Ignores write errors, because a terminal or ssh connection may close during a session."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


def results() -> TextIO:
    """The stream for a command's results."""
    return _results or sys.stdout


@contextmanager
def reserve_stdout() -> Iterator[None]:
    """While the block runs, only `results()` reaches standard output.

    What plugins, drivers and libraries print, from Python or from C, goes to standard error, so that a program that reads our
    JSON is not disturbed. This cannot be undone: use it in the program itself, not in a test's process.
    """
    global _results
    sys.stdout.flush()
    _results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        _results.flush()
