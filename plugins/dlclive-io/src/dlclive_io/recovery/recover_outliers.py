"""Recovery of a folder of kept frames: the frames are whole at every moment, and the table is made from them."""

from __future__ import annotations

from pathlib import Path

from dlclive_core import RecoveredFile
from dlclive_io.outliers.frame_folder import HEADER, TABLE, FrameFolder
from dlclive_io.outliers.kept_frame import KeptFrame
from dlclive_io.outliers.outlier_table import table_text


def is_outliers(part: Path) -> bool:
    """Whether a file is the unfinished table of kept frames."""
    return part.name == f"{TABLE}.part" and (part.parent / HEADER).is_file()


def recover_outliers(part: Path, final: Path) -> RecoveredFile:
    """Write the table. Raises DataError, OSError."""
    folder = FrameFolder.read(part.parent)
    found = list(folder.frames(folder.card))
    frames = [frame for frame in found if isinstance(frame, KeptFrame)]
    part.write_text(table_text(frames), encoding="utf-8", newline="")
    damaged = len(found) - len(frames)
    return RecoveredFile(
        path=final,
        kind="outliers",
        rows=len(frames),
        seconds=frames[-1].seconds if frames else None,
        note=f"{damaged} damaged frames left out" if damaged else "the last second before the crash may be lost",
    )
