"""The progress of a recording on standard error: a bar on a terminal, else a line every half minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlclive_core.cli.output import stderr
from dlclive_core.data.names import printable
from dlclive_core.session import Session

_PERIOD = 0.1  # seconds between updates of the bar
LINE_PERIOD = 30.0  # seconds between lines where there is no terminal, for example in a batch job's log


@contextmanager
def show_progress(session: Session, name: str, *, limit: int | None) -> Iterator[None]:
    """Show a session's progress while the block runs."""
    with show_count(lambda: session.processed, lambda: _total(session, limit), name):
        yield


@contextmanager
def show_count(processed: Callable[[], int], total: Callable[[], int | None], name: str) -> Iterator[None]:
    """Show how many frames are done while the block runs. The functions are called in a thread of its own."""
    console = stderr()
    if not console.is_terminal:
        with _lines(processed, total, name):
            yield
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    done = threading.Event()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(escape(printable(name)), total=None, rate="")

        def update() -> None:
            while not done.wait(_PERIOD):
                speed = progress.tasks[0].speed
                rate = f"{speed:.0f} frames/s" if speed else ""
                progress.update(task, completed=processed(), total=total(), rate=rate)

        thread = threading.Thread(target=update, name="dlclive progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@contextmanager
def _lines(processed: Callable[[], int], total: Callable[[], int | None], name: str) -> Iterator[None]:
    """Print a line every `LINE_PERIOD` seconds."""
    done = threading.Event()
    began = time.monotonic()

    def update() -> None:
        while not done.wait(LINE_PERIOD):
            line = progress_line(name, processed(), total(), time.monotonic() - began)
            stderr().print(line, markup=False, soft_wrap=True)

    thread = threading.Thread(target=update, name="dlclive progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def progress_line(name: str, processed: int, total: int | None, seconds: float) -> str:
    """For example `mouse.mp4: 1200 of 36000 frames, 40.0 frames/s, 870 s left`."""
    rate = processed / seconds if seconds > 0 else 0.0
    of = "" if total is None else f" of {total}"
    left = "" if total is None or not rate else f", {max(0.0, (total - processed) / rate):.0f} s left"
    return f"{name}: {processed}{of} frames, {rate:.1f} frames/s{left}"


def _total(session: Session, limit: int | None) -> int | None:
    total = session.source.frame_count
    if limit is None:
        return total
    return limit if total is None else min(limit, total)
