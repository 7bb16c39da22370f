"""A file that appears under its name only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlclive_core import DataError, FileLock, OutputExistsError, UsageError, create_file, take_name

PART = ".part"


class OutputFile:
    """A file that is written as `<name>.part` and gets its name at the end.

    A `.part` left by an interrupted run may be overwritten; one that another run is writing may not. A file that appears
    under the name while this one is written is never replaced, unless `overwrite` says so. A symbolic link in the place of
    the `.part` or of its lock is removed, and what it points to is not touched.

    Args:
        path: the final name.
        suffixes: allowed suffixes.
        overwrite: whether an existing file may be replaced.
        unfinished: what the name of the unfinished file ends in, instead of `.part`.
        is_folder: whether the final name is that of a folder; the caller checks what is in an existing one.
    """

    def __init__(
        self,
        path: Path,
        suffixes: tuple[str, ...],
        *,
        overwrite: bool,
        unfinished: str = PART,
        is_folder: bool = False,
    ) -> None:
        self.path = Path(path)
        self.part = self.path.with_name(self.path.name + unfinished)
        self._overwrite, self._is_folder = overwrite, is_folder
        self._lock = FileLock(self.part.with_name(self.part.name + ".lock"))
        self._state = "new"
        name = self.path.name.lower()
        if not any(name.endswith(suffix) and name != suffix for suffix in suffixes):
            raise UsageError(f"{self.path} must end in {' or '.join(suffixes)}: the suffix selects the format")

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The final name; the `.part` if the file was left unfinished; empty if it was discarded."""
        if self._state == "unfinished":
            return (self.part,)
        return () if self._state == "discarded" else (self.path,)

    def begin(self, *, keeps_unfinished: bool = False) -> Path:
        """Check that the file can be written, and return the name to write to: `part`.

        Args:
            keeps_unfinished: protect a `.part` left by an interrupted run like a finished file: a live source cannot be
                recorded again.

        Raises:
            OutputExistsError: the file exists, or another run is writing it.
            DataError: its folder does not exist or is not writeable.
        """
        if not self.path.parent.is_dir():
            raise DataError(f"cannot write {self.path}: no folder {self.path.parent}; create it first")
        if self.path.is_dir() and not self._is_folder:
            raise DataError(f"cannot write {self.path}: it is a folder")
        self._check_free()
        with self.errors():
            if not self._lock.acquire():
                raise OutputExistsError(f"another run is writing {self.path}: wait for it, or choose another name")
            try:
                self._check_free()  # another run may have finished it before the lock was ours
                if keeps_unfinished and not self._overwrite and self._has_rows():
                    raise OutputExistsError(
                        f"{self.part} was left by an interrupted run: complete it with `dlclive recover "
                        f"{self.path.parent}`, use overwrite (--overwrite), or choose another name"
                    )
                self.part.unlink(missing_ok=True)
                create_file(self.part)
            except (OSError, OutputExistsError):
                self._lock.release()
                raise
        self._state = "writing"
        return self.part

    def commit(self) -> None:
        """Give the closed `.part` its final name.

        Raises:
            OutputExistsError: another program took the name meanwhile; the `.part` stays.
            DataError: the file cannot be renamed.
        """
        with self.errors():
            with self.part.open("rb+") as file:
                os.fsync(file.fileno())
            try:
                if self._overwrite:
                    self.part.replace(self.path)
                else:
                    take_name(self.part, self.path)
            except FileExistsError:
                raise OutputExistsError(
                    f"{self.path} was written by another program meanwhile: what this run recorded is in {self.part}; "
                    "give it another name"
                ) from None
        self._state = "whole"

    def discard(self) -> None:
        """Remove the closed `.part`, which holds nothing worth keeping."""
        with self.errors():
            self.part.unlink(missing_ok=True)
        self._state = "discarded"

    def release(self, *, is_empty: bool = False) -> None:
        """Let other runs write the file; an unfinished `.part` stays. Safe to call at any time.

        Args:
            is_empty: the closed `.part` has not a single frame, and is removed: the run never began, perhaps because another
                component could not be opened, and the next try needs the name.
        """
        try:
            if self._state == "writing":
                self._state = "unfinished"
                if is_empty:
                    self.discard()
        finally:
            self._lock.release()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn an OSError into a one-line DataError with file and reason."""
        try:
            yield
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {reason(error)}") from error

    def _has_rows(self) -> bool:
        """Whether a `.part` with content is there; a link is none."""
        return self.part.exists() and not self.part.is_symlink() and self.part.stat().st_size > 0

    def _check_free(self) -> None:
        if os.path.lexists(self.path) and not self._overwrite:
            raise OutputExistsError(f"{self.path} exists: use overwrite (--overwrite), or choose another name")


def reason(error: BaseException) -> str:
    """The text of an error, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
