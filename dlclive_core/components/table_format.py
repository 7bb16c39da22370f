"""The base class of formats that hold finished poses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from dlclive_core.data.pose_recording import PoseRecording, RecordingInfo


class TableFormat(ABC):
    """Reads and writes finished poses in the format of another program, for `dlclive convert`.

    The constructor's keyword arguments are options of writing, with types and defaults; the command line reads them from the
    signature: `nwb:out.nwb,subject=M12`. An object may be used for several files, by one thread at a time.
    """

    @abstractmethod
    def recognizes(self, path: Path) -> bool:
        """Whether an existing file is of this format, by its content; it is read no further than needed, never unpickled."""

    @abstractmethod
    def read(self, path: Path) -> PoseRecording:
        """Open a file for reading. Its positions are converted to ours (see `PoseRows`).

        Raises:
            DataError: it is damaged, or not of this format; one line that says what was expected.
        """

    def check(self, info: RecordingInfo) -> None:
        """Refuse what the format cannot hold, before anything is written, for example poses in space.

        Raises:
            UsageError: with what to do instead.
        """

    def outputs(self, info: RecordingInfo, path: Path) -> tuple[Path, ...]:
        """The files that `write` makes of a recording, so that none of them is in the way of an existing one: `path` alone.

        A format may need several files (one for each animal): their names are `path`'s with an addition before the suffix.
        """
        return (path,)

    def may_replace(self, folder: Path) -> bool:
        """Whether an existing folder holds nothing but what this format writes, and may be replaced as a file may.

        Only for formats that write folders; False for all others.
        """
        return False

    @abstractmethod
    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a recording, which may have no frames, and return the files: those of `outputs`.

        The caller passes an unused temporary `path` in a folder of its own, in the final folder's file system, and moves what
        is returned; nothing outside that folder may be touched.

        Raises:
            DataError: it cannot be written. UsageError: see `check`.
        """
