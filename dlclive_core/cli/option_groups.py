"""Option groups: a dataclass parameter becomes one option per field."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Turn each dataclass parameter of a typer command into one option per field, each with its own default and help.

    An option shared by several commands is thus declared once.
    """
    hints = inspect.get_annotations(command, eval_str=True)  # typing.get_type_hints adds Optional before Python 3.11
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if not is_dataclass(hints[name]):
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[name] = hints[name]
        inner = inspect.get_annotations(hints[name], eval_str=True)
        parameters += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=inner[field.name],
            )
            for field in fields(hints[name])
        ]

    @functools.wraps(command)
    def flat(**values: Any) -> None:
        group_values = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **group_values)

    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": None}
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return flat
