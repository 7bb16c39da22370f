"""The pictures that a DeepLabCut project holds already, in the folders of all its videos."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from dlclive_core import DataError
from dlclive_core.runtimes import LABELLED_DATA
from dlclive_io.outliers.kept_frame import PICTURE
from dlclive_io.output_file import reason


class KnownPictures:
    """Finds a picture by its bytes, whatever its name and its folder.

    A frame that is put into two folders would be labelled twice, and may be in the training and in the test set. Only
    pictures of the same size are read: a project may hold thousands.

    Args:
        project: its folder.
    """

    def __init__(self, project: Path) -> None:
        self._sizes: dict[int, list[Path]] = {}
        self._digests: dict[Path, bytes] = {}
        folder = project / LABELLED_DATA
        try:
            for video in sorted(folder.iterdir()) if folder.is_dir() else ():
                if video.is_dir():
                    self._note(video)
        except OSError as error:
            raise DataError(f"cannot read {folder}: {reason(error)}") from None

    def find(self, file: Path) -> Path | None:
        """A picture of the project with the bytes of this file; None if there is none. Raises DataError."""
        try:
            candidates = self._sizes.get(file.stat().st_size, [])
            wanted = _digest(file) if candidates else b""
        except OSError as error:
            raise DataError(f"cannot read {file}: {reason(error)}") from None
        return next((path for path in candidates if self._digest_of(path) == wanted), None)

    def _note(self, video: Path) -> None:
        with os.scandir(video) as entries:
            pictures = [entry for entry in entries if entry.name.lower().endswith(PICTURE) and entry.is_file()]
        for entry in sorted(pictures, key=lambda entry: entry.name):
            self._sizes.setdefault(entry.stat().st_size, []).append(Path(entry.path))

    def _digest_of(self, path: Path) -> bytes:
        if path not in self._digests:
            try:
                self._digests[path] = _digest(path)
            except OSError as error:
                raise DataError(f"cannot read {path}: {reason(error)}") from None
        return self._digests[path]


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()
