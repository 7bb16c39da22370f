"""Checks of options: an invalid one is refused when the component is created, not at the first frame."""

from __future__ import annotations

import math

from dlclive_core.errors import UsageError


def check_number(
    option: str,
    value: float,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> float:
    """Return the value as float if it is a finite number > above, >= least and <= most; else raise UsageError.

    The message names the option alone: the core adds the component's name as the user wrote it, and Python the line.
    """
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if math.isfinite(number) and number > above and least <= number <= most:
        return number
    parts = [
        f"above {above:g}" if math.isfinite(above) else "",
        f"at least {least:g}" if math.isfinite(least) else "",
        f"at most {most:g}" if math.isfinite(most) else "",
    ]
    bounds = " and ".join(part for part in parts if part)
    raise UsageError(f"{option} is {value!r}; give a number {bounds}".rstrip())


def check_whole(option: str, value: float, *, least: int, most: float = math.inf, of: str = "") -> int:
    """Return the value as int if it is a whole number >= least and <= most; else raise UsageError. `of`: "of frames"."""
    number = check_number(option, value, least=least, most=most)
    if number != int(number):
        raise UsageError(f"{option} is {value!r}; give a whole number {of}".rstrip())
    return int(number)
