"""One run at a time writes to a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dlclive_core.errors import DataError, OutputExistsError


class FileLock:
    """A lock that ends with its process: an empty file beside the protected one, locked by the operating system.

    The file is removed by `release`; one left by a killed process does not count, because no process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another process, or another FileLock in this one, holds it. Raises OSError."""
        while True:
            descriptor = self._opened()
            if not _lock(descriptor):
                os.close(descriptor)
                return False
            if self._is_still(descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # its owner removed the file between open and lock: try again

    def release(self, *, keep_file: bool = False) -> None:
        """Release the lock. Safe to call twice.

        Args:
            keep_file: leave the file, as a killed process does.
        """
        if self._descriptor is None:
            return
        if keep_file:
            os.close(self._descriptor)
            self._descriptor = None
            return
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                self.path.unlink()
        else:
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
        self._descriptor = None

    def _opened(self) -> int:
        """A descriptor of the file. A symbolic link in its place is removed: only the link, never what it points to."""
        if self.path.is_symlink():
            self.path.unlink(missing_ok=True)
        return os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)

    def _is_still(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.lstat())
        except FileNotFoundError:
            return False


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the lock of an output while the block runs, so that a second command is refused before its work begins.

    Raises:
        OutputExistsError: another process holds it.
        DataError: the folder cannot be written to.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        is_ours = lock.acquire()
    except OSError as error:
        raise DataError(f"cannot write into {path.parent}: {error.strerror or error}") from None
    if not is_ours:
        raise OutputExistsError(f"another process is writing {path}: wait for it, or choose another name")
    try:
        yield
    finally:
        lock.release()


def _lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
