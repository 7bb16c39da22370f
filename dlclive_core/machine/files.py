"""Creates folders and writes files atomically, so that an interruption leaves no partial file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlclive_core.errors import DataError


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


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes atomically. Raises DataError."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    replace_whole(path, lambda draft: draft.write_bytes(data))


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` to create a draft beside `path`, then rename it to `path`. Removes a failed draft. Raises DataError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(draft)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
