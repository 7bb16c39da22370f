"""Creates folders and writes files atomically, so that an interruption leaves no partial file.

A file is written under a name that nobody else has, and gets its own when it is complete. Unless it may replace another,
the file system itself gives the name, to one writer only: nothing is asked first and done later.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from dlclive_core.errors import DataError, OutputExistsError

_BINARY = getattr(os, "O_BINARY", 0)  # Windows
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # not on Windows, where making a link takes a privilege


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless it exists. Raises DataError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {path}: {error.strerror}") from None


def create_file(path: Path) -> None:
    """Create an empty file. Raises FileExistsError if anything has the name, even a link that leads nowhere."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666))


def open_unlinked(path: Path, mode: str, **options: Any) -> IO[Any]:
    """`open` that raises OSError for a symbolic link, so that nobody can point our output at another file."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags | _NO_LINK, 0o666), **options)


def draft_beside(path: Path) -> Path:
    """Create an empty file that is to become `path`; its name cannot be guessed. Raises OSError."""
    while True:
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with suppress(FileExistsError):
            create_file(draft)
            return draft


def take_name(draft: Path, path: Path) -> None:
    """Rename a finished file. Raises FileExistsError if anything has the name, and OSError; the draft then stays."""
    if sys.platform == "win32":
        draft.rename(path)  # never replaces a file there
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as exFAT: the name is taken first, with an empty file
        create_file(path)
        try:
            draft.replace(path)
        except OSError:
            path.unlink()
            raise
    else:
        draft.unlink()


def write_whole(path: Path, content: str | bytes, *, overwrite: bool = True) -> None:
    """Write text (UTF-8) or bytes; the file gets its name only once it is complete. Raises as `replace_whole`."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    replace_whole(path, lambda draft: draft.write_bytes(data), overwrite=overwrite)


def replace_whole(path: Path, write: Callable[[Path], object], *, overwrite: bool = True) -> None:
    """Let `write` fill a draft beside `path`, which then takes its place; a failed draft is removed.

    Raises:
        OutputExistsError: the file exists and may not be replaced.
        DataError: it cannot be written.
    """
    draft: Path | None = None
    try:
        draft = draft_beside(path)
        write(draft)
        if overwrite:
            draft.replace(path)
        else:
            take_name(draft, path)
    except FileExistsError:
        raise exists_error(path) from None
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def exists_error(path: Path) -> OutputExistsError:
    """The error for a name that is taken."""
    return OutputExistsError(f"{path} already exists; choose another name or pass --overwrite")


def ignores_case(folder: Path) -> bool:
    """Whether the folder's file system takes X.csv and x.csv for one file. False where nothing can be created."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".dlclive-case-", dir=folder) as file:
            return Path(file.name).with_name(Path(file.name).name.upper()).exists()
    except OSError:
        return False
