"""A line on the terminal for each session while they run."""

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

_PERIOD = 0.1  # seconds: at most ten times a second
_STALL = 1.0  # seconds without a frame that are worth a word
_CLEAR = "\r\x1b[K"


@contextmanager
def live_lines(sessions: Sequence[Session], numbers: Sequence[LiveNumbers]) -> Iterator[None]:
    """Show the numbers of each while the block runs; nothing if standard error is not a terminal.

    Written by hand and not by rich: its drawing holds Python for a millisecond, ten times a second, and the loop would wait.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    place = _Place()

    def show() -> None:
        ticks = 0
        files = [""] * len(sessions)
        while not done.wait(_PERIOD):
            if ticks % 10 == 0:  # sizes of files once a second
                files = [sizes(path for sink in session.sinks for path in sink.outputs) for session in sessions]
            ticks += 1
            place.show(
                [
                    text(session.name, session.progress, number.now(), size)
                    for session, number, size in zip(sessions, numbers, files, strict=True)
                ]
            )

    thread = threading.Thread(target=show, name="dlclive line", daemon=True)
    thread.start()
    with _room_for_messages(place.wipe):
        try:
            yield
        finally:
            done.set()
            thread.join()
            place.wipe()


class _Place:
    """The lines at the bottom of the terminal. Any thread may call."""

    def __init__(self) -> None:
        self._above = 0  # lines above the one that the cursor is in
        self._lock = threading.Lock()

    def show(self, lines: Sequence[str]) -> None:
        """In place of what is there."""
        width = _width()
        with self._lock:
            _write(self._up() + "\n".join(_CLEAR + printable(line)[:width] for line in lines))
            self._above = len(lines) - 1

    def wipe(self) -> None:
        """Leave nothing, and the cursor where the first line was."""
        with self._lock:
            _write(self._up() + (_CLEAR if not self._above else "\r\x1b[J"))
            self._above = 0

    def _up(self) -> str:
        return f"\x1b[{self._above}A" if self._above else ""


def text(name: str, progress: Progress, now: Now, files: str) -> str:
    """`mouse 3: 29.9 frames/s, latency 8.1 ms (p99 12.4), age 14 ms, 90 frames, 3 dropped (wait 3), mouse.h5 41 kB`."""
    counts = [f"{now.processed} frames", progress.losses]
    because = f" ({progress.trouble})" if progress.trouble else ""
    if not now.processed:
        what = "starting" if progress.state == "starting" else "waiting for the first frame"
        return f"{name}: {what}{because}"
    if progress.state != "running" or now.age > _STALL:
        word = f"no frame for {now.age:.1f} s" if progress.state in ("running", "stale") else progress.state
        return f"{name}: {word}{because}, {', '.join(counts)}"
    parts = [
        f"{_number(now.rate)} frames/s",
        f"latency {_number(1000 * now.p50)} ms (p99 {_number(1000 * now.p99)})",
        f"age {1000 * now.age:.0f} ms",
        *counts,
        *([files] if files else []),
    ]
    return f"{name}: {', '.join(parts)}"


def sizes(paths: Iterator[Path]) -> str:
    """What the files of the sinks have grown to."""
    known = []
    for path in paths:
        try:
            known.append(f"{path.name.removesuffix('.part')} {_bytes(path.stat().st_size)}")
        except OSError:  # not there yet, or just renamed
            continue
    return ", ".join(known)


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


def _write(what: str) -> None:
    try:
        sys.stderr.write(what)
        sys.stderr.flush()
    except (OSError, ValueError):  # the terminal is gone; the session is not
        pass


class _ClearFirst(logging.Filter):
    """Lets every message pass, and wipes the lines away before it."""

    def __init__(self, clear: Callable[[], None]) -> None:
        super().__init__()
        self._clear = clear

    def filter(self, record: logging.LogRecord) -> bool:
        self._clear()
        return True


@contextmanager
def _room_for_messages(wipe: Callable[[], None]) -> Iterator[None]:
    """Messages of the log begin at the left, not behind the line."""
    handlers, clear = list(logging.getLogger().handlers), _ClearFirst(wipe)
    for handler in handlers:
        handler.addFilter(clear)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(clear)
