"""Reads the fields of a JSON object one by one. Errors name the field; unknown fields are errors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlclive_core.errors import UsageError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class JsonFields:
    """One object in a profile's JSON. Reading a field removes it, so that unknown fields remain.

    Raises:
        UsageError: from every method, with the file, the field, and the expected value.
    """

    def __init__(self, values: Any, path: Path, prefix: str = "") -> None:
        self._path, self._prefix = path, prefix
        if not isinstance(values, dict):
            raise self.error(f"{prefix.rstrip('.') or 'the content'} is not a JSON object")
        self._values: dict[str, Any] = dict(values)

    def error(self, problem: str) -> UsageError:
        """The error to raise for a problem with the file."""
        return UsageError(f"{self._path} is not a valid profile: {problem}; tune again, or pass --profile none")

    def check_empty(self) -> None:
        """Raise if a field is left: an unknown field may be important."""
        for name in self._values:
            raise self.error(f"unknown field {self._prefix}{name}")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not (value or empty):
            raise self._unexpected(name, "text", value)
        return value

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

    def count(self, name: str) -> int:
        """An integer from 0 up."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._unexpected(name, "an integer from 0 up", value)
        return value

    def integers_or_none(self, name: str, length: int) -> list[int] | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != length or not all(type(item) is int for item in value):
            raise self._unexpected(name, f"{length} integers or null", value)
        return value

    def number(self, name: str, *, least: float, above: bool = False) -> float:
        """A number from `least` up; with `above`, larger than `least`."""
        value = self._take(name)
        if not _is_number(value) or value < least or (above and value == least):
            expected = f"a number {'above' if above else 'from'} {least:g}{'' if above else ' up'}"
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
        return JsonFields(self._take(name), self._path, f"{self._prefix}{name}.")

    def object_or_none(self, name: str) -> JsonFields | None:
        value = self._take(name)
        return None if value is None else JsonFields(value, self._path, f"{self._prefix}{name}.")

    def objects(self, name: str) -> list[JsonFields]:
        value = self._take(name)
        if not isinstance(value, list):
            raise self._unexpected(name, "a list", value)
        return [JsonFields(item, self._path, f"{self._prefix}{name}[{index}].") for index, item in enumerate(value)]

    def take_rest(self) -> dict[str, Any]:
        """All remaining fields, by name."""
        values, self._values = self._values, {}
        return values

    def _take(self, name: str) -> Any:
        if name not in self._values:
            raise self.error(f"{self._prefix}{name} is missing")
        return self._values.pop(name)

    def _unexpected(self, name: str, expected: str, value: Any) -> UsageError:
        return self.error(f"{self._prefix}{name} must be {expected}, not {str(value)[:60]!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
