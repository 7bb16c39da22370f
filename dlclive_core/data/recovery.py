"""What a recovery found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredFile:
    """What became of one file that a run left unfinished.

    Attributes:
        path: its final name; the name of the `.part` where it could not be finished.
        kind: "poses", "times" or "video".
        rows: of the table, or frames of the video.
        seconds: when the last of them was taken, from the start of the run; None where the file does not tell.
        note: one line: how it was finished, and what is lost.
        error: one line: why it was not finished; empty if it was.
    """

    path: Path
    kind: str
    rows: int = 0
    seconds: float | None = None
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What `recover` found in a folder, and did."""

    folder: Path
    files: tuple[RecoveredFile, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every file was finished."""
        return not any(file.error for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        files = [{**asdict(file), "path": str(file.path)} for file in self.files]
        return {"folder": str(self.folder), "complete": self.complete, "files": files}
