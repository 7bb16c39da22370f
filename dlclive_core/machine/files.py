"""Files and folders, written so that an interruption leaves no half of a file under its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dlclive_core.errors import DataError


def make_folder(path: Path) -> None:
    """Create a folder and its parents; one that exists is fine. Raises DataError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {path}: {error.strerror}") from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes; the file gets its name only once it is complete. Raises DataError."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    replace_whole(path, lambda draft: draft.write_bytes(data))


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` create a draft beside `path`, which then takes its place; a failed draft is removed. Raises DataError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(draft)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
