"""Every option that takes a number refuses NaN, which passes every bound."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from dlclive_core.cli.app import app

COMMANDS = ("analyze", "export", "benchmark", "tune", "run", "check")


def number_options(command: str) -> list[tuple[str, str]]:
    """The command's options that take a number with a fraction, read from its help."""
    text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "120", "NO_COLOR": "1"}).output
    return [(command, option) for option in re.findall(r"^\s+(--[\w-]+)\s+NUMBER\b", text, re.MULTILINE)]


OPTIONS = [pair for command in COMMANDS for pair in number_options(command)]


def test_there_are_options_that_take_numbers() -> None:
    assert ("analyze", "--pcutoff") in OPTIONS
    assert ("run", "--seconds") in OPTIONS


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_nan_is_refused(command: str, option: str) -> None:
    done = CliRunner().invoke(app, [command, option, "nan", "a", "b"])
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output
