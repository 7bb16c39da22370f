"""The result of putting kept frames into an annotation project."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedFrame:
    """One kept frame.

    Attributes:
        frame: its number in the source.
        seconds: when it was captured, from the start of the run.
        reason: why it was kept: "uncertain", "jump" or "marked".
        score: how bad it is, 0 to 1.
        image: the name of its picture in the project; with that of its folder if the result is "elsewhere".
        result: "added"; "labelled", a person has labelled it already; "present", the project has its machine labels already;
            "elsewhere", the project has its picture already, under another name; "other picture", the project has another
            picture of this name; "damaged", it cannot be read.
        fault: of a damaged frame: which of its files is damaged, and how.
    """

    frame: int
    seconds: float
    reason: str
    score: float
    image: str
    result: str
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationReport:
    """What was put into a project, or would be.

    Attributes:
        project: the project's folder.
        folder: the folder of the pictures in the project.
        frames: the kept frames, in order.
        files: the files written, beside the pictures; empty in a dry run.
        notices: what the user should know or do next, one line each.
    """

    project: Path
    folder: Path
    frames: tuple[AnnotatedFrame, ...] = ()
    files: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many frames have each result."""
        return dict(Counter(frame.result for frame in self.frames))

    def to_dict(self) -> dict[str, Any]:
        """The report as values for JSON."""
        return {
            "project": str(self.project),
            "folder": str(self.folder),
            "counts": self.counts,
            "frames": [asdict(frame) for frame in self.frames],
            "files": [str(path) for path in self.files],
            "notices": list(self.notices),
        }
