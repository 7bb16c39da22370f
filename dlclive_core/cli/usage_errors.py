"""Errors of the command line itself, such as an unknown option, in the form of all other errors: one line."""

from __future__ import annotations

from typing import Any

import typer

RENAMED_OPTIONS = {
    ("benchmark", "--frames"): "--max-frames",
    ("benchmark", "--follow"): "--window",
    ("demo", "--frames"): "--max-frames",
    ("export", "--frames"): "--video",
    ("export", "--set"): "--exporter-option",
    ("tune", "--frames"): "--max-frames",
    ("tune", "--time"): "--seconds",
}
"""Command and option of earlier versions -> the option's name now."""

# typer brings its own copy of click, or uses the installed one, depending on its version.
ClickError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def is_help(error: Any) -> bool:
    """Whether the error is a command without arguments, which shows its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def usage_message(error: Any) -> str:
    """The error of a command line in one line: what is wrong, and where to read on."""
    context = getattr(error, "ctx", None)
    command = "dlclive" if context is None else str(context.command_path)
    renamed = RENAMED_OPTIONS.get((command.rpartition(" ")[2], getattr(error, "option_name", "")))
    if renamed is not None:
        return f"{command} has no option {error.option_name}: it is now {renamed}"
    text = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{text[:1].lower()}{text[1:]}; see: {command} --help"
