"""Finishing what a crash left."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from dlclive_core import DataError, OutputExistsError, RecoveredFile, RecoveryReport, UsageError
from dlclive_io.file_lock import FileLock
from dlclive_io.output_file import reason
from dlclive_io.recovery.recover_csv import is_times, recover_poses_csv, recover_times
from dlclive_io.recovery.recover_hdf5 import recover_hdf5
from dlclive_io.recovery.recover_video import recover_video
from dlclive_io.recovery.run_record import journal_headers, note_recovery

PART = ".part"
VIDEOS = (".mkv", ".mp4")


def recover(folder: Path) -> RecoveryReport:
    """Finish the tables, times and videos that a run left in a folder when it was killed, and give them their names.

    Each `<name>.part` is first made whole: HDF5 is written anew from its journal, a torn last line of CSV is cut off,
    videos get an index, and rows of times whose frame did not reach the video are cut off. Only then does it get its
    name. A file that has the name already is never replaced. Files that could not be finished stay as they are, with the
    reason in the report; a second call does what the first one could not, and else nothing. Folders inside are not
    looked at. `run.json` says afterwards what was recovered.

    Raises:
        UsageError: no such folder; or the run is still alive, or another recovery is at work.
        DataError: the folder cannot be read or written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}: give the one that the run wrote to")
    try:
        with ExitStack() as locks:
            killed = _lock(folder, locks)
            headers = journal_headers(folder)
            files: list[RecoveredFile] = []
            frames: dict[str, int] = {}  # of the videos, for the rows of times
            for part in sorted(killed, key=_order):
                found = _recover(part, frames, was_killed=killed[part])
                if found is not None:
                    files.append(found)
            report = RecoveryReport(folder=folder, files=tuple(files))
            if any(not file.error for file in files):
                note_recovery(report, headers)
        for file in files:
            if file.error and killed[file.path]:  # a later call has to know
                _lock_of(file.path).path.touch()
    except OSError as error:
        raise DataError(f"cannot recover {folder}: {reason(error)}") from error
    return report


def _recover(part: Path, frames: dict[str, int], *, was_killed: bool) -> RecoveredFile | None:
    """Finish one file; None for one that is not ours."""
    final = part.with_name(part.name.removesuffix(PART))
    suffix = final.suffix.lower()
    kind = "video" if suffix in VIDEOS else "times" if suffix == ".csv" and is_times(part) else "poses"
    try:
        if final.exists():
            raise DataError(f"{final} is there already: move one of the two away, then recover again")
        if suffix == ".h5":
            found: RecoveredFile | None = recover_hdf5(part, final)
        elif suffix in VIDEOS:
            found = recover_video(part, final, was_killed=was_killed)
            frames[final.name] = found.rows
        else:
            found = recover_times(part, final, frames) or recover_poses_csv(part, final)
        if found is not None and part.exists():
            part.replace(final)
    except (DataError, OSError) as error:
        text = str(error) if isinstance(error, DataError) else reason(error)
        return RecoveredFile(path=part, kind=kind, error=text)
    return found


def _lock(folder: Path, locks: ExitStack) -> dict[Path, bool]:
    """Take the lock of every unfinished file, and tell which ones had an owner who was killed."""
    killed = {}
    for part in sorted(folder.glob(f"*{PART}")):
        if Path(part.name.removesuffix(PART)).suffix.lower() not in (".h5", ".csv", *VIDEOS):
            continue
        lock = _lock_of(part)
        killed[part] = lock.path.exists()
        if not lock.acquire():
            raise OutputExistsError(f"{part} is being written: wait for the run to end, or stop it, then recover")
        locks.callback(lock.release)
    return killed


def _lock_of(part: Path) -> FileLock:
    return FileLock(part.with_name(part.name + ".lock"))


def _order(part: Path) -> tuple[bool, Path]:
    """Videos first: their times need to know how many frames there are."""
    return Path(part.name.removesuffix(PART)).suffix.lower() not in VIDEOS, part
