"""A progress bar on standard error, if that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dlclive_core.cli.output import stderr
from dlclive_core.data.names import printable
from dlclive_core.session import Session

_PERIOD = 0.1  # seconds


@contextmanager
def show_progress(session: Session, name: str, *, limit: int | None) -> Iterator[None]:
    """Show a session's progress while the block runs; does nothing if standard error is not a terminal."""
    console = stderr()
    if not console.is_terminal:
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
                total = session.source.frame_count
                if limit is not None:
                    total = min(limit, total) if total is not None else limit
                speed = progress.tasks[0].speed
                rate = f"{speed:.0f} frames/s" if speed else ""
                progress.update(task, completed=session.processed, total=total, rate=rate)

        thread = threading.Thread(target=update, name="dlclive progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
