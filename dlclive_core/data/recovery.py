"""The results of a recovery."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredFile:
    """The recovery of one file that a run left unfinished.

    Attributes:
        path: the final path; the path of the `.part` file if it could not be finished.
        kind: "poses", "times", "replay", "video" or "outliers".
        rows: frames: of a table those with a pose or a time, without its empty rows; of a video all.
        seconds: when the last row or frame was captured, from the start of the run; None if the file does not contain it.
        note: one line: how the file was finished, and what is lost.
        error: one line: why the file was not finished; empty on success.
    """

    path: Path
    kind: str
    rows: int = 0
    seconds: float | None = None
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """The result of `recover` for a folder."""

    folder: Path
    files: tuple[RecoveredFile, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every file was finished."""
        return not any(file.error for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """The report as values for JSON."""
        files = [{**asdict(file), "path": str(file.path)} for file in self.files]
        return {"folder": str(self.folder), "complete": self.complete, "files": files}
