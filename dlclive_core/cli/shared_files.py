"""Detects two components that write the same file, so that a command is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from dlclive_core.components import Processor, Sink
from dlclive_core.machine.files import ignores_case

T = TypeVar("T")


def files_of(component: object) -> tuple[Path, ...]:
    """The files that a sink or processor writes; those of DeepLabCut-live-style objects are unknown."""
    return component.outputs if isinstance(component, Sink | Processor) else ()


class Writers(Generic[T]):
    """Maps files to their writers. On file systems that ignore case, X.csv and x.csv are the same file."""

    def __init__(self) -> None:
        self._writers: dict[str, T] = {}
        self._ignores_case: dict[Path, bool] = {}

    def add(self, path: Path, writer: T) -> T | None:
        """Register a writer; returns the one already registered for the same file, or None."""
        folder = path.absolute().parent
        if folder not in self._ignores_case:
            self._ignores_case[folder] = ignores_case(folder)
        name = path.name.casefold() if self._ignores_case[folder] else path.name
        key = str(folder.resolve() / name)
        if key in self._writers:
            return self._writers[key]
        self._writers[key] = writer
        return None
