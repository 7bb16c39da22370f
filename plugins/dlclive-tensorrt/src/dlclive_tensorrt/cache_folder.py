"""The user's cache folder, which holds timings and records of the engines built here."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """This package's folder in the user's cache. It may not exist yet.

    XDG_CACHE_HOME is respected if it is an absolute path, as its specification requires.
    """
    xdg_cache = os.environ.get("XDG_CACHE_HOME", "")
    if xdg_cache and Path(xdg_cache).is_absolute():
        base = Path(xdg_cache)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path.home() / ".cache"
    return base / "dlclive" / "tensorrt"


def make_private(folder: Path) -> None:
    """Create a folder that only this user can write to. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Whether only this user (and the administrator) can write into a folder."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: readers see either the old content or the new. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
