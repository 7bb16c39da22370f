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
    if missing := _missing_before_others(error, context):
        return f"{missing}; see: {command} --help"
    text = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{text[:1].lower()}{text[1:]}; see: {command} --help"


def _missing_before_others(error: Any, context: Any) -> str:
    """For an argument such as VIDEOS, which may be the one before the one that was forgotten; else empty."""
    missing: Any = getattr(error, "param", None)
    parameters = [] if context is None else context.command.params
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    if type(error).__name__ != "MissingParameter" or missing not in arguments or missing.nargs != -1:
        return ""
    others = [each for each in arguments[arguments.index(missing) + 1 :] if each.required]
    if not others:
        return ""
    names = " or ".join(repr(_name(each)) for each in (missing, *others))
    usage = " ".join(f"{_name(each)}{'...' if each.nargs == -1 else ''}" for each in arguments)
    return f"missing argument {names}: {context.command_path} {usage}"


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
