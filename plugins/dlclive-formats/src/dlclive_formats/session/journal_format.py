"""The journal of a session as a format that is read."""

from __future__ import annotations

from pathlib import Path

from dlclive_io import JournalContent

from dlclive_core import FileLock, PoseRecording, TableFormat, UsageError
from dlclive_formats.session.format_sink import SUFFIX
from dlclive_formats.session.run_recording import RunRecording

_SQLITE = b"SQLite format 3\0"


class JournalFormat(TableFormat):
    """Reads the journal `<name>.poses` that a session has left, where its own format cannot be written.

    `dlclive recover` writes the file that was meant; this one is for another: a counter that jumped, for example, leaves no
    room in formats that have a row for each frame.
    """

    def recognizes(self, path: Path) -> bool:
        """Whether it is an SQLite database of this name. What is in it is looked at by `read`: opening it changes its log."""
        if not path.name.lower().endswith(SUFFIX) or path.is_symlink():
            return False
        try:
            with path.open("rb") as file:
                return file.read(len(_SQLITE)) == _SQLITE
        except OSError:
            return False

    def read(self, path: Path) -> PoseRecording:
        """Open a journal. Raises DataError if it is damaged, UsageError if a session is writing it."""
        lock = FileLock(path.with_name(path.name + ".lock"))
        was_there = lock.path.exists()
        if not lock.acquire():
            raise UsageError(f"{path} is being written: wait for the run to end, or stop it")
        lock.release(keep_file=was_there)  # a recovery needs to know that the run was killed
        return RunRecording(JournalContent(path))

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Not a format to write."""
        raise UsageError("a journal is written by a session")
