"""Option groups: the options that typer shows, and the values that the command receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from dlclive_core.cli.option_groups import spread

Name = Annotated[str | None, typer.Option(help="Whose.")]
Size = Annotated[int, typer.Option("--size", "-s", min=1, help="How large.")]


@dataclass(frozen=True, kw_only=True)
class Group:
    name: Name = None
    size: Size = 3


app = typer.Typer()


@app.command()
@spread
def command(
    what: Annotated[str | None, typer.Argument()] = None,
    *,
    group: Group,
    loud: Annotated[bool, typer.Option("--loud")] = False,
) -> None:
    """Say it."""
    typer.echo(f"{what} {group} {loud}")


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ([], "None Group(name=None, size=3) False"),
        (["it", "--name", "a", "-s", "5", "--loud"], "it Group(name='a', size=5) True"),
    ],
)
def test_fields_become_options(arguments: list[str], output: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.output.strip()) == (0, output)


def test_help_and_validation_come_from_the_fields() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100", "NO_COLOR": "1"}).output
    assert "Whose." in shown
    assert "How large." in shown
    assert "--what" not in shown, "an argument became an option"
    assert CliRunner().invoke(app, ["--size", "0"]).exit_code == 2
