"""The errors of a session file: the first one is raised, or all are collected."""

from __future__ import annotations

import re
from types import TracebackType

from dlclive_core.errors import DLCLiveError

_LINE = re.compile(r":(\d+): ")


class Problems:
    """Errors found so far.

    Args:
        collects: keep errors and go on, as `dlclive check` does; False: raise the first one.

    Attributes:
        collects: as above.
        entries: names of the entries of the file that have an error, and whose settings are therefore incomplete.
    """

    def __init__(self, *, collects: bool = False) -> None:
        self.collects = collects
        self._errors: dict[str, DLCLiveError] = {}
        self.entries: set[str] = set()

    @property
    def errors(self) -> list[DLCLiveError]:
        """The errors, each once, in the order of their lines; those without a line come last."""

        def line(error: DLCLiveError) -> float:
            match = _LINE.search(str(error))
            return float(match[1]) if match else float("inf")

        return sorted(self._errors.values(), key=line)

    def caught(self, entry: str = "") -> _Caught:
        """A context manager that adds the error of its block, if any, and ends the block.

        Args:
            entry: the entry of the file that the block reads.
        """
        return _Caught(self, entry)

    def add(self, error: DLCLiveError, entry: str = "") -> None:
        """Add an error, and those that were found together with it."""
        for each in (error, *error.further):
            self._errors.setdefault(str(each), each)
        if entry:
            self.entries.add(entry)


class _Caught:
    def __init__(self, problems: Problems, entry: str) -> None:
        self._problems, self._entry = problems, entry

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, DLCLiveError) or not self._problems.collects:
            return False
        self._problems.add(error, self._entry)
        return True
