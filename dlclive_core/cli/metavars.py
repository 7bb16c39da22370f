"""What the help calls values: TEXT, PATH, N and NUMBER, whatever the version of typer calls their types."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import typer
from typer.models import ArgumentInfo, OptionInfo

_METAVARS: tuple[tuple[type, str], ...] = ((str, "TEXT"), (Path, "PATH"), (int, "N"), (float, "NUMBER"))


class App(typer.Typer):
    """An application whose options without a metavariable get one from their type, and its arguments from their name."""

    def command(self, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        """Register a command, as `typer.Typer.command`."""
        register = super().command(*arguments, **options)

        def register_named(function: Any) -> Any:
            function.__annotations__ = inspect.get_annotations(function, eval_str=True)
            for name, annotation in function.__annotations__.items():
                _set_metavar(name, annotation)
            return register(function)

        return register_named


def _set_metavar(name: str, annotation: Any) -> None:
    if not hasattr(annotation, "__metadata__"):
        return
    taken = _types(annotation.__origin__)
    for info in annotation.__metadata__:
        if isinstance(info, ArgumentInfo):
            info.metavar = info.metavar or name.upper()
        elif isinstance(info, OptionInfo):
            info.metavar = info.metavar or next((text for kind, text in _METAVARS if kind in taken), None)


def _types(annotation: Any) -> set[Any]:
    """The types in an annotation such as `list[float] | None`."""
    return {annotation}.union(*(_types(part) for part in get_args(annotation)))
