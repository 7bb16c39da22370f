"""Writes the files of a killed session from what it left in its journals."""

from __future__ import annotations

import logging
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from dlclive_io import JournalContent, note_recovery, remove_journal

from dlclive_core import (
    DataError,
    DLCLiveError,
    FileLock,
    FormatInfo,
    OutputExistsError,
    PluginCatalog,
    RecoveredFile,
    RecoveryReport,
    TableFormat,
    UsageError,
    write_recording,
)
from dlclive_formats.session.format_sink import FORMAT, OPTIONS, SUFFIX
from dlclive_formats.session.run_recording import RunRecording

_log = logging.getLogger(__name__)

_SQLITE = b"SQLite format 3\0"


def recover(folder: Path) -> RecoveryReport:
    """Write the NWB, SLEAP and other files of a run that was killed, from the journals `<name>.poses` in its folder.

    Existing files are never replaced, and symbolic links are not followed. Rows that are damaged are left out, with their
    number in the report, and the journal is then kept. A file that cannot be written stops no other; a second call retries
    it. Subfolders are ignored. `run.json` lists what was recovered.

    Raises:
        UsageError: the folder does not exist, the run is still alive, or another recovery is running.
        DataError: the folder cannot be read or written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}: give the folder that the run wrote to")
    try:
        with ExitStack() as locks:
            headers: list[dict[str, Any]] = []
            files = [_recover(journal, headers) for journal in _locked(folder, locks)]
            report = RecoveryReport(folder=folder, files=tuple(files))
            if any(not file.error for file in files):
                note_recovery(report, headers)
    except OSError as error:
        raise DataError(f"cannot recover {folder}: {error.strerror or error}") from error
    return report


def _locked(folder: Path, locks: ExitStack) -> list[Path]:
    """The journals of the folder, with their locks held."""
    journals = []
    for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
        lock = FileLock(path.with_name(path.name + ".lock"))
        if not (lock.path.exists() or _is_database(path)):
            continue  # not ours
        if not lock.acquire():
            raise OutputExistsError(f"{path} is being written: wait for the run to end, or stop it, then recover")
        locks.callback(lock.release)
        journals.append(path)
    return journals


def _recover(journal: Path, headers: list[dict[str, Any]]) -> RecoveredFile:
    final = journal.with_name(journal.name.removesuffix(SUFFIX))
    try:
        if journal.is_symlink() or not journal.is_file():
            raise DataError(f"{journal} is not a file but a link, a folder or a device, which no run leaves: remove it")
        content = JournalContent(journal)
        recording = RunRecording(content)
        try:
            files = write_recording(_writer(journal, content.header), recording, final)
        except OutputExistsError as error:
            raise DataError(f"{str(error).partition(';')[0]}: move it or {journal.name}, then recover again") from None
        headers.append(content.header)
        note = "written from the journal; up to 0.2 s before the crash may be lost"
        if len(files) > 1:
            note += f"; {len(files)} files: {', '.join(file.name for file in files)}"
        if recording.damage:
            note += f"; {recording.damage}, which is kept as {journal.name}"
        else:
            remove_journal(journal)
        return RecoveredFile(path=files[0], kind="poses", rows=recording.rows, seconds=content.seconds, note=note)
    except DLCLiveError as error:
        return RecoveredFile(path=journal, kind="poses", error=str(error))
    except OSError as error:
        return RecoveredFile(path=journal, kind="poses", error=f"{journal}: {error.strerror or error}")
    except Exception as error:  # whatever a library makes of damaged bytes, the other files are written
        _log.debug("recovering %s", journal, exc_info=True)
        text = " ".join(str(error).split())[:200]
        return RecoveredFile(path=journal, kind="poses", error=f"{journal}: {type(error).__name__}: {text}")


def _writer(journal: Path, header: dict[str, Any]) -> TableFormat:
    """The format that the header names, with its options."""
    name, options = header.get(FORMAT), header.get(OPTIONS)
    if not isinstance(name, str) or not isinstance(options, dict):
        raise DataError(f"{journal} does not say in which format its poses are to be written")
    writer: TableFormat = PluginCatalog.installed().build(FormatInfo, name, **options)
    return writer


def _is_database(path: Path) -> bool:
    with suppress(OSError):
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    return False
