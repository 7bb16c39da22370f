"""Reads the fields of a JSON object one by one. Errors name the field; unknown fields are errors."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from dlclive_core.errors import DLCLiveError, shown

_DIGEST = re.compile(r"[0-9a-f]{64}")


class JsonFields:
    """One object of a JSON file. Each method that is called for a field takes it away.

    Args:
        values: what was read.
        failure: makes the error for a problem, in which it names the file and says what to do.
        prefix: of the names of the fields, for objects inside others.

    Raises:
        DLCLiveError: in every method: what `failure` makes of the field and what was expected.
    """

    def __init__(self, values: Any, failure: Callable[[str], DLCLiveError], prefix: str = "") -> None:
        self.error, self._prefix = failure, prefix
        if not isinstance(values, dict):
            raise self.error(f"{prefix.rstrip('.') or 'the content'} is not a JSON object")
        self._values: dict[str, Any] = dict(values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        """The names of the fields that are left."""
        return list(self._values)

    def check_empty(self) -> None:
        """Raise if a field is left: an unknown field may be important."""
        for name in self._values:
            raise self.error(f"unknown field {self._prefix}{shown(name)[1:-1]}")

    def text(self, name: str, *, empty: bool = False, most: int | None = None) -> str:
        """Text, of `most` characters at most."""
        value = self._take(name)
        if not isinstance(value, str) or not (value or empty):
            raise self._unexpected(name, "text", value)
        if most is not None and len(value) > most:
            raise self._unexpected(name, f"text of at most {most} characters", value)
        return value

    def value(self, name: str) -> Any:
        """Whatever it is, for the caller to check."""
        return self._take(name)

    def texts(self, name: str) -> list[str]:
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._unexpected(name, "a list of strings", value)
        return value

    def digest(self, name: str) -> str:
        value = self.text(name)
        if not _DIGEST.fullmatch(value):
            raise self._unexpected(name, "a SHA-256 in 64 hexadecimal digits", value)
        return value

    def one_of(self, name: str, known: Sequence[str]) -> str:
        value = self.text(name)
        if value not in known:
            raise self._unexpected(name, f"one of {', '.join(known)}", value)
        return value

    def boolean(self, name: str) -> bool:
        value = self._take(name)
        if not isinstance(value, bool):
            raise self._unexpected(name, "true or false", value)
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        value = self._take(name)
        if type(value) is not int or not least <= value <= most:
            raise self._unexpected(name, f"an integer from {least} to {most}", value)
        return value

    def count(self, name: str) -> int:
        """An integer from 0 up."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._unexpected(name, "an integer from 0 up", value)
        return value

    def integers(self, name: str, length: int, *, least: int, most: int) -> list[int]:
        value = self._take(name)
        if not isinstance(value, list) or len(value) != length:
            raise self._unexpected(name, f"{length} integers", value)
        if not all(type(item) is int and least <= item <= most for item in value):
            raise self._unexpected(name, f"{length} integers from {least} to {most}", value)
        return value

    def integers_or_none(self, name: str, length: int) -> list[int] | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != length or not all(type(item) is int for item in value):
            raise self._unexpected(name, f"{length} integers or null", value)
        return value

    def number(self, name: str, *, least: float, above: bool = False, most: float = math.inf) -> float:
        """A number from `least` up, or with `above`, larger than it; `most` at most."""
        value = self._take(name)
        if not _is_number(value) or value < least or (above and value == least) or value > most:
            upper = f" up to {most:g}" if math.isfinite(most) else "" if above else " up"
            expected = f"a number {'above' if above else 'from'} {least:g}{upper}"
            raise self._unexpected(name, expected, value)
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        """A number; infinity is "inf"."""
        value = self._take(name)
        if value == "inf":
            return math.inf
        if value is not None and not _is_number(value):
            raise self._unexpected(name, "a number, null or 'inf'", value)
        return None if value is None else float(value)

    def object(self, name: str) -> JsonFields:
        return JsonFields(self._take(name), self.error, f"{self._prefix}{name}.")

    def object_or_none(self, name: str) -> JsonFields | None:
        value = self._take(name)
        return None if value is None else JsonFields(value, self.error, f"{self._prefix}{name}.")

    def objects(self, name: str) -> list[JsonFields]:
        value = self._take(name)
        if not isinstance(value, list):
            raise self._unexpected(name, "a list", value)
        return [JsonFields(item, self.error, f"{self._prefix}{name}[{index}].") for index, item in enumerate(value)]

    def take_if_none(self, name: str) -> bool:
        """Whether a field is null; if so, it is taken away."""
        if self._values.get(name, ...) is not None:
            return False
        self._take(name)
        return True

    def take_rest(self) -> dict[str, Any]:
        """All remaining fields, by name."""
        values, self._values = self._values, {}
        return values

    def _take(self, name: str) -> Any:
        if name not in self._values:
            raise self.error(f"{self._prefix}{name} is missing")
        return self._values.pop(name)

    def _unexpected(self, name: str, expected: str, value: Any) -> DLCLiveError:
        return self.error(f"{self._prefix}{name} must be {expected}, not {str(value)[:60]!r}")


def _is_number(value: Any) -> bool:
    """A finite number that a float can hold: JSON has integers of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # neither infinity nor NaN is
