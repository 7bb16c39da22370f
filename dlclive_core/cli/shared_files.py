"""Which component of a command writes which file, so that two that write the same one are refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from dlclive_core.components import Processor, Sink
from dlclive_core.machine.files import ignores_case

T = TypeVar("T")


def files_of(component: object) -> tuple[Path, ...]:
    """The files that a sink or processor writes; objects in DeepLabCut-live's style say nothing of theirs."""
    return component.outputs if isinstance(component, Sink | Processor) else ()


class Writers(Generic[T]):
    """Files and who writes them. Two names are one file where the file system says so: X.csv and x.csv on many."""

    def __init__(self) -> None:
        self._writers: dict[str, T] = {}
        self._ignoring: dict[Path, bool] = {}

    def add(self, path: Path, writer: T) -> T | None:
        """Note a writer; returns the one that was noted before for the same file, None for the first."""
        folder = path.absolute().parent
        if folder not in self._ignoring:
            self._ignoring[folder] = ignores_case(folder)
        name = path.name.casefold() if self._ignoring[folder] else path.name
        key = str(folder.resolve() / name)
        if key in self._writers:
            return self._writers[key]
        self._writers[key] = writer
        return None
