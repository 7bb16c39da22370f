"""The names of the files that a run leaves, which end in the time when it began."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dlclive_core import DataError, UsageError, file_name_part


@dataclass(frozen=True, slots=True)
class OutputNames:
    """The names of one run.

    Attributes:
        folder: exists.
        name: begins the name of every file.
        stamp: ends it.
        created: the folders that were created for this run, the deepest first.
    """

    folder: Path
    name: str
    stamp: str
    created: tuple[Path, ...] = ()

    @classmethod
    def choose(cls, folder: str | Path, name: str) -> OutputNames:
        """Create the folder, and choose a stamp that no file of this name has yet. Raises UsageError, DataError."""
        if not name or name != file_name_part(name):
            raise UsageError(f"{name!r} cannot begin the name of a file; choose another one")
        folder = Path(folder)
        created = tuple(path for path in (folder, *folder.parents) if not path.exists())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = [path.name for path in folder.iterdir() if path.name.startswith(name)]
        except OSError as error:
            raise DataError(f"cannot write into the folder {folder}: {error.strerror or error}") from None
        began = stamp = time.strftime("%Y%m%d_%H%M%S")
        number = 1
        while any(stamp in other for other in taken):
            number += 1
            stamp = f"{began}_{number}"
        return cls(folder, name, stamp, created)

    @contextmanager
    def removed_on_error(self) -> Iterator[None]:
        """Remove the folders that were created, if the block raises and has left them empty, as a mistyped name does."""
        try:
            yield
        except BaseException:
            for folder in self.created:
                with suppress(OSError):  # not empty
                    folder.rmdir()
            raise

    def path(self, kind: str, suffix: str) -> Path:
        """For example `mouse_poses_20261129_120000.h5`."""
        return self.folder / f"{self.name}_{kind}_{self.stamp}{suffix}"
