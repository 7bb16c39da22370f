"""The fields of a JSON object, taken one by one; what is wrong names the field, and what nobody took is wrong, too."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlclive_core.errors import UsageError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Fields:
    """One object of a profile's JSON.

    Raises:
        UsageError: in every method: the file, the field, and what it should be.
    """

    def __init__(self, values: Any, path: Path, place: str = "") -> None:
        self._path, self._place = path, place
        if not isinstance(values, dict):
            raise self.wrong(f"{place.rstrip('.') or 'it'} is no JSON object")
        self._values: dict[str, Any] = dict(values)

    def wrong(self, what: str) -> UsageError:
        """The error that says what is wrong with the file."""
        return UsageError(f"{self._path} is no profile: {what}; tune again, or pass --profile none")

    def done(self) -> None:
        """Nothing is left: a word that is not known may be one that matters."""
        for name in self._values:
            raise self.wrong(f"there is no {self._place}{name} in a profile")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not (value or empty):
            raise self._not(name, "a text", value)
        return value

    def texts(self, name: str) -> list[str]:
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._not(name, "a list of texts", value)
        return value

    def digest(self, name: str) -> str:
        value = self.text(name)
        if not _DIGEST.fullmatch(value):
            raise self._not(name, "a SHA-256 in 64 hexadecimal digits", value)
        return value

    def one_of(self, name: str, known: Sequence[str]) -> str:
        value = self.text(name)
        if value not in known:
            raise self._not(name, f"one of {', '.join(known)}", value)
        return value

    def truth(self, name: str) -> bool:
        value = self._take(name)
        if not isinstance(value, bool):
            raise self._not(name, "true or false", value)
        return value

    def whole(self, name: str) -> int:
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._not(name, "a whole number from 0 up", value)
        return value

    def wholes_or_none(self, name: str, count: int) -> list[int] | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != count or not all(type(item) is int for item in value):
            raise self._not(name, f"{count} whole numbers or null", value)
        return value

    def number(self, name: str, *, least: float, above: bool = False) -> float:
        value = self._take(name)
        if not _is_number(value) or value < least or (above and value == least):
            raise self._not(name, f"a number {'above' if above else 'from'} {least:g}{'' if above else ' up'}", value)
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        value = self._take(name)
        if value == "inf":
            return math.inf
        if value is not None and not _is_number(value):
            raise self._not(name, "a number, null or 'inf'", value)
        return None if value is None else float(value)

    def inner(self, name: str) -> Fields:
        return Fields(self._take(name), self._path, f"{self._place}{name}.")

    def inner_or_none(self, name: str) -> Fields | None:
        value = self._take(name)
        return None if value is None else Fields(value, self._path, f"{self._place}{name}.")

    def rows(self, name: str) -> list[Fields]:
        value = self._take(name)
        if not isinstance(value, list):
            raise self._not(name, "a list", value)
        return [Fields(item, self._path, f"{self._place}{name}[{place}].") for place, item in enumerate(value)]

    def take_all(self) -> dict[str, Any]:
        """All that is left, by name."""
        values, self._values = self._values, {}
        return values

    def _take(self, name: str) -> Any:
        if name not in self._values:
            raise self.wrong(f"{self._place}{name} is missing")
        return self._values.pop(name)

    def _not(self, name: str, what: str, value: Any) -> UsageError:
        return self.wrong(f"{self._place}{name} is {what}, not {str(value)[:60]!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
