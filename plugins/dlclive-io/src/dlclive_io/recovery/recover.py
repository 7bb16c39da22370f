"""Recovery of a folder after a crash."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path

from dlclive_core import DataError, FileLock, OutputExistsError, RecoveredFile, RecoveryReport, UsageError, take_name
from dlclive_io.output_file import reason
from dlclive_io.recovery.recover_csv import is_times, recover_poses_csv, recover_times
from dlclive_io.recovery.recover_hdf5 import recover_hdf5
from dlclive_io.recovery.recover_outliers import is_outliers, recover_outliers
from dlclive_io.recovery.recover_record import recover_record
from dlclive_io.recovery.recover_video import recover_video
from dlclive_io.recovery.run_record import journal_headers, note_recovery
from dlclive_io.replay.replay_record import SUFFIX as RECORD_SUFFIX
from dlclive_io.tables.pose_journal import journal_of, remove_journal

_log = logging.getLogger(__name__)

PART = ".part"
VIDEOS = (".mkv", ".mp4")


def recover(folder: Path) -> RecoveryReport:
    """Complete the tables, timestamps and videos of a run that was killed, and give them their final names.

    Each `<name>.part` is repaired before it is renamed: HDF5 is rebuilt from its journal, an incomplete last line of CSV or
    last frame of a replay record is removed, videos get an index, and timestamps whose frame did not reach the video are
    removed. Rows that are damaged are left out, with their number in the report. Existing files are never replaced, and
    symbolic links are not followed. Files that cannot be completed are left unchanged, with the reason in the report, and
    stop no other; a second call retries only those. Of subfolders, only those with the frames of the sink `outliers` are
    looked at. `run.json` lists what was recovered.

    Raises:
        UsageError: the folder does not exist, the run is still alive, or another recovery is running.
        DataError: the folder cannot be read or written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}: give the folder that the run wrote to")
    try:
        with ExitStack() as locks:
            killed, locked = _lock(folder, locks)
            headers = journal_headers(folder)
            files: list[RecoveredFile] = []
            frames: dict[str, int] = {}  # number of frames by video, for the timestamps
            for part in sorted(killed, key=_order):
                recovered = _recover(part, frames, was_killed=killed[part])
                if recovered is not None:
                    files.append(recovered)
            for file in files:
                if file.error and killed.get(file.path):  # a later call needs to know
                    locked[file.path].release(keep_file=True)
            report = RecoveryReport(folder=folder, files=tuple(files))
            if any(not file.error for file in files):
                note_recovery(report, headers)
    except OSError as error:
        raise DataError(f"cannot recover {folder}: {reason(error)}") from error
    return report


def _recover(part: Path, frames: dict[str, int], *, was_killed: bool) -> RecoveredFile | None:
    """Complete one file; None for a file that dlclive did not write."""
    final = part.with_name(part.name.removesuffix(PART))
    suffix = final.suffix.lower()
    kind = "video" if suffix in VIDEOS else "replay" if suffix == RECORD_SUFFIX else "poses"
    try:
        if part.is_symlink() or not part.is_file():
            raise DataError(f"{part} is not a file but a link, a folder or a device, which no run leaves: remove it")
        if suffix == ".csv" and is_times(part):
            kind = "times"
        elif is_outliers(part):
            kind = "outliers"
        if os.path.lexists(final):
            if part.samefile(final):  # killed while the finished file had both names
                part.unlink()
                remove_journal(journal_of(final))
                return RecoveredFile(path=final, kind=kind, note="it was whole")
            raise DataError(f"{final} already exists: move one of the two files, then recover again")
        if suffix == ".h5":
            recovered: RecoveredFile | None = recover_hdf5(part, final)
        elif suffix == RECORD_SUFFIX:
            recovered = recover_record(part, final)
        elif kind == "outliers":
            recovered = recover_outliers(part, final)
        elif suffix in VIDEOS:
            recovered = recover_video(part, final, was_killed=was_killed)
            frames[final.name] = recovered.rows
        else:
            recovered = recover_times(part, final, frames) or recover_poses_csv(part, final)
            if recovered is None and was_killed:  # the lock beside it says that it is ours
                raise DataError(f"{part} has a damaged header: repair its first lines, then recover again")
        if recovered is not None and part.exists():
            _rename(part, final)
    except (DataError, OSError) as error:
        text = str(error) if isinstance(error, DataError) else reason(error)
        return RecoveredFile(path=part, kind=kind, error=text)
    except Exception as error:  # whatever a library makes of damaged bytes, the other files are recovered
        _log.debug("recovering %s", part, exc_info=True)
        return RecoveredFile(path=part, kind=kind, error=f"{part} is damaged: {type(error).__name__}: {reason(error)}")
    return recovered


def _rename(part: Path, final: Path) -> None:
    try:
        take_name(part, final)
    except FileExistsError:
        raise DataError(f"{final} already exists: move one of the two files, then recover again") from None


def _lock(folder: Path, locks: ExitStack) -> tuple[dict[Path, bool], dict[Path, FileLock]]:
    """Lock every unfinished file. Returns for each whether its writer was killed, and the locks."""
    killed, locked = {}, {}
    for part in sorted([*folder.glob(f"*{PART}"), *filter(is_outliers, folder.glob(f"*/*{PART}"))]):
        if part.name.startswith(".") or Path(part.name.removesuffix(PART)).suffix.lower() not in (
            ".h5",
            ".csv",
            RECORD_SUFFIX,
            *VIDEOS,
        ):
            continue  # not ours; macOS leaves `._name` files beside each file on some disks
        lock = _lock_of(part)
        killed[part] = lock.path.exists()
        if not lock.acquire():
            raise OutputExistsError(f"{part} is being written: wait for the run to end, or stop it, then recover")
        locks.callback(lock.release)
        locked[part] = lock
    return killed, locked


def _lock_of(part: Path) -> FileLock:
    return FileLock(part.with_name(part.name + ".lock"))


def _order(part: Path) -> tuple[bool, Path]:
    """Videos first: their timestamps need the number of frames."""
    return Path(part.name.removesuffix(PART)).suffix.lower() not in VIDEOS, part
