"""Output of all commands: tables and messages for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dlclive_core.cli.standard_streams import results
from dlclive_core.machine.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console


def stdout() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(file=results(), highlight=False, soft_wrap=True)


def stderr() -> Console:
    """The console for progress and errors, so that standard output can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(error: BaseException | str) -> None:
    """Print an error as one line on standard error."""
    text = " ".join(str(error).split())
    warn(f"error: {text}")


def warn(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(value: object) -> None:
    """Print JSON, the only standard output under --json."""
    results().write(json_text(value) + "\n")


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; plain text if the output is not a terminal. Numbers are right-aligned."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
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
