"""Creates folders and writes files atomically, so that an interruption leaves no partial file.

A file is written under a unique temporary name and renamed when it is complete. Unless it may replace another file, the
rename is one atomic step of the file system, which succeeds for one writer only.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from dlclive_core.errors import DataError, OutputExistsError

_BINARY = getattr(os, "O_BINARY", 0)  # Windows
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # not on Windows, where creating a link takes a privilege


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless it exists. Raises DataError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {path}: {error.strerror}") from None


@contextmanager
def output_folder(path: Path) -> Iterator[None]:
    """Create a folder and its parents, and remove those that it created if the block raises and has left them empty.

    A mistyped name of a model or a video thus leaves no folder behind. Raises DataError.
    """
    created = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path)
    try:
        yield
    except BaseException:
        for folder in created:
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise


def create_file(path: Path) -> None:
    """Create an empty file. Raises FileExistsError if the name is taken, even by a dangling link."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666))


def open_unlinked(path: Path, mode: str, **options: Any) -> IO[Any]:
    """`open` that raises OSError for a symbolic link, so that a link cannot redirect our output."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags | _NO_LINK, 0o666), **options)


def draft_beside(path: Path) -> Path:
    """Create an empty file that will become `path`, with an unguessable name. Raises OSError."""
    while True:
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with suppress(FileExistsError):
            create_file(draft)
            return draft


def take_name(draft: Path, path: Path) -> None:
    """Rename a finished file. Raises FileExistsError if the name is taken, and OSError; the draft then remains."""
    if sys.platform == "win32":
        draft.rename(path)  # never replaces a file there
    else:
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links, such as exFAT: reserve the name with an empty file first
            create_file(path)
            try:
                draft.replace(path)
            except OSError:
                path.unlink()
                raise
        else:
            draft.unlink()


def write_whole(path: Path, content: str | bytes, *, overwrite: bool = True) -> None:
    """Write text (UTF-8) or bytes; the name appears only once the file is complete. Raises as `replace_whole`."""
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
    """Whether the folder's file system treats X.csv and x.csv as one file. False if the folder is not writable."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".dlclive-case-", dir=folder) as file:
            return Path(file.name).with_name(Path(file.name).name.upper()).exists()
    except OSError:
        return False
