"""The progress of a distillation on standard error: a bar on a terminal, else a line at each stage and every half minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlclive_core.cli.output import stderr
from dlclive_core.cli.progress_bar import LINE_PERIOD
from dlclive_core.data.names import printable
from dlclive_core.distillation import DistillProgress


@contextmanager
def show_distillation() -> Iterator[Callable[[DistillProgress], None]]:
    """Yield a function that shows how far a distillation is."""
    console = stderr()
    if not console.is_terminal:
        yield _Lines(lambda line: console.print(line, markup=False, soft_wrap=True))
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[error]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("preparing", total=None, error="")
        stage = ""

        def show(now: DistillProgress) -> None:
            nonlocal stage
            if now.stage != stage:
                stage = now.stage
                progress.reset(task, total=now.total, description=escape(printable(stage)), error="")
            progress.update(task, completed=now.done, total=now.total, error=error_in_words(now))

        yield show


class _Lines:
    """Prints a line when a stage begins, and every `LINE_PERIOD` seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._stage, self._next = "", 0.0

    def __call__(self, now: DistillProgress) -> None:
        begins = now.stage != self._stage
        if begins or self._clock() >= self._next:
            self._stage, self._next = now.stage, self._clock() + LINE_PERIOD
            self._write(now.stage if begins and not now.done else distill_line(now))


def distill_line(now: DistillProgress) -> str:
    """For example `training: 1200 of 6000 steps, 1.42 px median, 4.10 px p95`."""
    of = "" if now.total is None else f" of {now.total}"
    error = error_in_words(now)
    return f"{now.stage}: {now.done}{of} {now.unit}{', ' if error else ''}{error}"


def error_in_words(now: DistillProgress) -> str:
    """The present error, `1.42 px median, 4.10 px p95`; empty if there is none."""
    if math.isnan(now.p95_px):
        return ""
    return f"{now.p50_px:.2f} px median, {now.p95_px:.2f} px p95"
