"""Where this user keeps what was measured and built here."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """The folder of this package in the user's cache, which may not be there yet.

    XDG_CACHE_HOME is respected where it is an absolute path, as the specification asks for.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named and Path(named).is_absolute():
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path.home() / ".cache"
    return base / "dlclive" / "tensorrt"


def make_private(folder: Path) -> None:
    """Make a folder that only this user can write to. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Whether only this user (and the administrator) can write into a folder."""
    try:
        facts = folder.stat()
    except OSError:
        return False
    return sys.platform == "win32" or (facts.st_uid == os.getuid() and not facts.st_mode & 0o022)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that others see the old content or the new one, whole. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
