"""A status line on the terminal for each running session."""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dlclive_core.cli.live.live_numbers import LiveNumbers, Now
from dlclive_core.data.names import printable
from dlclive_core.session import Progress, Session

_PERIOD = 0.1  # seconds between updates
_STALL = 1.0  # seconds without a frame before the line reports it
_CLEAR = "\r\x1b[K"


@contextmanager
def live_lines(sessions: Sequence[Session], numbers: Sequence[LiveNumbers]) -> Iterator[None]:
    """Show each session's numbers while the block runs; does nothing if standard error is not a terminal.

    Does not use rich: each of its updates would hold the GIL for a millisecond and delay the loop.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    status = _StatusLines()

    def show() -> None:
        ticks = 0
        files = [""] * len(sessions)
        while not done.wait(_PERIOD):
            if ticks % 10 == 0:  # file sizes once a second
                files = [sizes(path for sink in session.sinks for path in sink.outputs) for session in sessions]
            ticks += 1
            status.show(
                [
                    text(session.name, session.progress, number.now(), size)
                    for session, number, size in zip(sessions, numbers, files, strict=True)
                ]
            )

    thread = threading.Thread(target=show, name="dlclive line", daemon=True)
    thread.start()
    with _wipe_before_messages(status.wipe):
        try:
            yield
        finally:
            done.set()
            thread.join()
            status.wipe()


class _StatusLines:
    """The lines at the bottom of the terminal. Thread-safe."""

    def __init__(self) -> None:
        self._above = 0  # lines above the cursor
        self._lock = threading.Lock()

    def show(self, lines: Sequence[str]) -> None:
        """Draw the lines in place of the previous ones."""
        width = _width()
        with self._lock:
            _write(self._up() + "\n".join(_CLEAR + printable(line)[:width] for line in lines))
            self._above = len(lines) - 1

    def wipe(self) -> None:
        """Remove the lines and move the cursor to where the first one was."""
        with self._lock:
            _write(self._up() + (_CLEAR if not self._above else "\r\x1b[J"))
            self._above = 0

    def _up(self) -> str:
        return f"\x1b[{self._above}A" if self._above else ""


def text(name: str, progress: Progress, now: Now, files: str) -> str:
    """For example `mouse 3: 29.9 frames/s, latency 8.1 ms (p99 12.4), age 14 ms, 90 frames, 3 dropped (wait 3), a.h5 4 kB`."""
    counts = [f"{now.processed} frames", progress.losses]
    because = f" ({progress.trouble})" if progress.trouble else ""
    if not now.processed:
        what = "starting" if progress.state == "starting" else "waiting for the first frame"
        return f"{name}: {what}{because}"
    if progress.state != "running" or now.age > _STALL:
        what = f"no frame for {now.age:.1f} s" if progress.state in ("running", "stale") else progress.state
        return f"{name}: {what}{because}, {', '.join(counts)}"
    parts = [
        f"{_number(now.rate)} frames/s",
        f"latency {_number(1000 * now.p50)} ms (p99 {_number(1000 * now.p99)})",
        f"age {1000 * now.age:.0f} ms",
        *counts,
        *([files] if files else []),
    ]
    return f"{name}: {', '.join(parts)}"


def sizes(paths: Iterator[Path]) -> str:
    """Names and sizes of the sinks' files."""
    files = []
    for path in paths:
        try:
            files.append(f"{path.name.removesuffix('.part')} {_bytes(path.stat().st_size)}")
        except OSError:  # not yet created, or just renamed
            continue
    return ", ".join(files)


def _bytes(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f}"


def _width() -> int:
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or 80) - 1  # a full line would wrap


def _write(characters: str) -> None:
    try:
        sys.stderr.write(characters)
        sys.stderr.flush()
    except (OSError, ValueError):  # the terminal has closed; the session continues
        pass


class _ClearFirst(logging.Filter):
    """Wipes the status lines before each log message; lets every message pass."""

    def __init__(self, clear: Callable[[], None]) -> None:
        super().__init__()
        self._clear = clear

    def filter(self, record: logging.LogRecord) -> bool:
        self._clear()
        return True


@contextmanager
def _wipe_before_messages(wipe: Callable[[], None]) -> Iterator[None]:
    """Wipe the status lines before log messages while the block runs."""
    handlers, clear = list(logging.getLogger().handlers), _ClearFirst(wipe)
    for handler in handlers:
        handler.addFilter(clear)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(clear)
