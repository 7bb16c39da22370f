"""The file that a processor writes at the end of a run."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from dlclive_core import DataError, OutputExistsError, UsageError

_log = logging.getLogger(__name__)

_SUFFIXES = ("", ".npy", ".npz", ".npy.npz")
"""What numpy, and processors that use it, append to a name."""


class SavedFile:
    """Lets a processor in DeepLabCut-live's style write its file, and finds out whether it did.

    Args:
        path: of the file.
        overwrite: whether an existing file may be replaced.
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        self.path = Path(path)
        self._overwrite = overwrite

    def check(self) -> None:
        """Raise, before the run, what would be raised after it: OutputExistsError, DataError (there is no such folder)."""
        if not self.path.parent.is_dir():
            raise DataError(f"{self.path} cannot be written: there is no folder {self.path.parent}")
        for suffix in _SUFFIXES:
            taken = self.path.with_name(self.path.name + suffix)
            if not self._overwrite and (taken.exists() or taken.is_symlink()):
                raise OutputExistsError(f"{taken} already exists; choose another name, or set overwrite=true")

    def write(self, save: Callable[[str], object], name: str) -> tuple[Path, ...]:
        """Call `save` with the file's name, and return the files that it wrote.

        What it returns does not tell enough: 0 is a failure for some, and what the base class returns for others. So the folder
        is looked at, too.

        Args:
            name: of the method, for messages: "MyProcessor.save".

        Raises:
            DataError: it raised, or returned 0, False or less, and wrote nothing.
        """
        before = self._files()
        try:
            result = save(str(self.path))
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            text = " ".join(str(error).split())
            raise DataError(f"{name}({str(self.path)!r}) raised {type(error).__name__}: {text}".rstrip(": ")) from error
        written = tuple(path for path, state in self._files().items() if before.get(path) != state)
        if _says_failure(result):
            text = f"{name}({str(self.path)!r}) returned {result!r}"
            if not written:
                raise DataError(f"{text}, and wrote no file")
            _log.warning("%s, though it wrote %s", text, _names(written))
        elif not written:
            _log.warning("%s wrote no file %s", name, self.path)
        elif self.path not in written:
            _log.warning("%s wrote %s, not %s", name, _names(written), self.path.name)
        return written

    def _files(self) -> dict[Path, tuple[int, int]]:
        """The files whose names begin as ours, with what shows that they were written."""
        files = {}
        for path in self.path.parent.glob("*"):
            if path.name.startswith(self.path.stem) and path.is_file():
                with suppress(OSError):  # it was removed meanwhile
                    status = path.stat()
                    files[path] = status.st_mtime_ns, status.st_size
        return files


def save_method(processor: object, name: str) -> Callable[[str], Any]:
    """The call that makes a processor write a file of a given name.

    Some, as in DeepLabCut-live-GUI, take the name through `set_save_path` and have a `save()` without arguments.

    Raises:
        UsageError: it has no `save` that can be told a name.
    """
    save = getattr(processor, "save", None)
    if not callable(save):
        raise UsageError(f"{name} has no method save(file): leave out the option save")
    try:
        inspect.signature(save).bind("")
    except TypeError:
        set_path = getattr(processor, "set_save_path", None)
        if not callable(set_path):
            raise UsageError(f"{name}.save takes no file name: leave out the option save") from None

        def save_under(file: str) -> Any:
            set_path(file)
            return save()

        return save_under
    except ValueError:  # written in C, without a signature
        pass
    return save


def _says_failure(result: object) -> bool:
    """0, False and negative numbers; None is what a method without a return statement returns."""
    return isinstance(result, int | float | np.integer | np.floating | np.bool_) and not result > 0


def _names(files: tuple[Path, ...]) -> str:
    return ", ".join(sorted(path.name for path in files))
