"""Output of all commands: tables and messages for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dlclive_core.cli.standard_streams import results
from dlclive_core.data.names import printable
from dlclive_core.machine.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console


def stdout() -> Console:
    """The console for results."""
    return _console()


def stderr() -> Console:
    """The console for progress and errors, so that standard output can be piped."""
    return _console(stderr=True)


def _console(*, stderr: bool = False) -> Console:
    """A console that shows names from files as they are, also those with escape sequences in them."""
    from rich.console import Console

    class PrintableConsole(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*(printable(it, keep_lines=True) if isinstance(it, str) else it for it in objects), **options)

    return PrintableConsole(file=None if stderr else results(), stderr=stderr, highlight=False, soft_wrap=True)


def complain(error: BaseException | str) -> None:
    """Print an error as one line on standard error."""
    warn(f"error: {printable(' '.join(str(error).split()))}")


def warn(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def make_log_printable() -> None:
    """Have the handlers of the log write names as `complain` does."""
    import logging

    class PrintableFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record), keep_lines=True)

    for handler in logging.getLogger().handlers:
        handler.setFormatter(PrintableFormatter("dlclive: %(message)s"))


def print_json(value: object) -> None:
    """Print JSON, the only standard output under --json."""
    results().write(json_text(value) + "\n")


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; plain text if the output is not a terminal. Numbers are right-aligned."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = [[printable(str(cell), keep_lines=True) for cell in row] for row in rows]
    table = Table(title=Text(printable(title)), title_justify="left", box=box.SIMPLE_HEAD)
    for column, name in enumerate(header):
        numeric = bool(lines) and all(line[column][:1].isdigit() or line[column] in ("", "-") for line in lines)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for line in lines:
        table.add_row(
            *(Text(cell) for cell in line)
        )  # not as markup, which would swallow the brackets of "pip install 'name[extra]'"
    console = stdout()
    if not console.is_terminal:
        console.width = 160
    console.print(table)
