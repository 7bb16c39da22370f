"""Checks of options: an invalid one is refused when the component is created, not at the first frame."""

from __future__ import annotations

from typing import TypeVar

from dlclive_core import UsageError

T = TypeVar("T")


def check_text(option: str, value: str, *, most: int = 200, empty: bool = False) -> str:
    """Return the value if it is printable text of at most `most` characters; else raise UsageError."""
    if isinstance(value, str) and (value or empty) and len(value) <= most and value.isprintable():
        return value
    raise UsageError(f"{option} is {value!r}; give printable text of at most {most} characters")


def check_choice(option: str, value: T, choices: tuple[T, ...]) -> T:
    """Return the value if it is one of the choices; else raise UsageError."""
    if value in choices:
        return value
    raise UsageError(f"{option} is {value!r}; choose from {', '.join(map(str, choices))}")


def check_host(host: str) -> str:
    """Return the host name or address if it could be one; else raise UsageError. Nothing is looked up."""
    if check_text("host", host, most=253) and not any(character in host for character in " /@?#"):
        return host
    raise UsageError(
        f"host is {host!r}; give a name or an address, such as 127.0.0.1; the port is an option of its own"
    )
