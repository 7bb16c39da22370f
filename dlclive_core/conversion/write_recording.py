"""Writes a recording in a format, so that its files appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dlclive_core.components import TableFormat
from dlclive_core.data.pose_recording import PoseRecording
from dlclive_core.errors import DataError, UsageError
from dlclive_core.machine.files import exists_error, take_name


def write_recording(
    format: TableFormat, recording: PoseRecording, path: Path, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write a recording, and return its files.

    They are written in a folder of their own beside `path`, and take their names when all are complete. An existing file is
    never replaced, unless `overwrite` says so; if one appears meanwhile, none of them stays. A format that writes a folder
    replaces one that holds nothing else: see `TableFormat.may_replace`.

    Raises:
        OutputExistsError: a file exists.
        UsageError: the format cannot hold the recording.
        DataError: the recording cannot be read, or the files cannot be written.
    """
    format.check(recording.info)
    check_targets(format, format.outputs(recording.info, path), overwrite=overwrite)
    with _errors(path), _folder_beside(path) as folder:
        written = format.write(recording, folder / path.name)
        strangers = [file for file in written if file.parent != folder]
        if strangers or not written:
            raise DataError(
                f"{type(format).__name__} has written {strangers or 'nothing'}, not in the folder it was given"
            )
        targets = tuple(path.with_name(file.name) for file in written)
        check_targets(format, targets, overwrite=overwrite)
        for file in written:
            _flush(file)
        _move(written, targets, overwrite=overwrite)
    return targets


def check_targets(format: TableFormat, paths: Sequence[Path], *, overwrite: bool) -> None:
    """Raise unless files can be written with these names: OutputExistsError, or DataError without a folder to write to."""
    for path in paths:
        if not path.parent.is_dir():
            raise DataError(f"cannot write {path}: no folder {path.parent}; create it first")
        is_folder = path.is_dir()
        if is_folder and (path.is_symlink() or not format.may_replace(path)):
            raise UsageError(f"cannot write {path}: it is a folder with other contents; choose another name")
        if os.path.lexists(path) and not overwrite:
            raise exists_error(path)


def _flush(file: Path) -> None:
    """Have the disk keep a file, or what is in a folder."""
    if not file.is_dir():
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    elif sys.platform != "win32":
        os.sync()  # file by file it would take minutes


def _move(written: Sequence[Path], targets: Sequence[Path], *, overwrite: bool) -> None:
    taken: list[Path] = []
    try:
        for file, target in zip(written, targets, strict=True):
            if file.is_dir():
                _move_folder(file, target)
            elif overwrite:
                file.replace(target)
            else:
                take_name(file, target)
                taken.append(target)
    except BaseException as error:
        for target in taken:  # each was made by this call a moment ago
            target.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise exists_error(target) from None
        raise


def _move_folder(folder: Path, target: Path) -> None:
    """Give a folder its name; one that had it before is removed with the temporary folder."""
    old = folder.with_name(f"{folder.name}.old")
    if not target.is_dir():
        folder.rename(target)
        return
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        old.rename(target)
        raise


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder in the folder of `path`, removed at the end."""
    folder = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    folder.mkdir(mode=0o777)
    try:
        yield folder
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
