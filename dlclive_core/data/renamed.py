"""Names of earlier versions: using one raises an error with the new name. There are no aliases."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def renamed_keywords(**renamed: str) -> Callable[[Function], Function]:
    """Make a function or constructor reject old keyword arguments with a TypeError that names the new ones.

    Args:
        renamed: old keyword -> new keyword.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def checked(*args: Any, **options: Any) -> Any:
            for old in renamed.keys() & options.keys():
                name = function.__qualname__.removesuffix(".__init__")
                raise TypeError(f"{name} has no option {old!r}: it is now {renamed[old]!r}")
            return function(*args, **options)

        return checked  # type: ignore[return-value]

    return decorate


def check_methods(cls: type, **renamed: str) -> None:
    """Raise a TypeError that names the new method if a class defines one under its old name. For `__init_subclass__`."""
    for old in renamed.keys() & vars(cls).keys():
        raise TypeError(f"{cls.__qualname__} defines {old!r}, which is now called {renamed[old]!r}")
