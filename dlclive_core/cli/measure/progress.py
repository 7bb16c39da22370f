"""Progress of a measurement on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlclive_core.benchmark.interleaved import MeasurementProgress
from dlclive_core.cli.output import stderr


@contextmanager
def show_measurement() -> Iterator[tuple[Callable[[str], None], Callable[[MeasurementProgress], None]]]:
    """Print a line before each slow step and, on a terminal, a progress bar; both on standard error."""
    console = stderr()

    def report_step(text: str) -> None:
        console.print(text, markup=False)

    if not console.is_terminal:
        yield report_step, lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("preparing", total=None)
        yield (
            report_step,
            lambda turn: progress.update(task, description=turn.label, completed=turn.done, total=turn.total),
        )
