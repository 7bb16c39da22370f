"""Reads run.json: the record of a run that `dlclive run` or `dlclive analyze` has left."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core.data.card import CARD_VERSION, ModelCard
from dlclive_core.data.estimate import RunInfo
from dlclive_core.errors import DataError, ModelError, UsageError

_MOST_BYTES = 64 << 20
_RECORD = re.compile(r"run(-\d+)?\.json")
_PART = ".part"
_log = logging.getLogger(__name__)


def find_record(path: Path) -> Path:
    """run.json of a folder, or the file itself. Raises UsageError if there is none, or more than one.

    Beside a run that wrote something, those that wrote nothing do not count: the log says so.
    """
    if not path.is_dir():
        if not path.exists():
            raise UsageError(f"no such run: {path}; give the folder of a run, or its run.json")
        return path
    records = records_of(path)
    if not records:
        raise UsageError(f"{path} has no run.json: give the folder (--out) of `dlclive run` or `dlclive analyze`")
    empty = [record for record in records if _wrote_nothing(record)] if len(records) > 1 else []
    if empty and len(empty) < len(records):
        records = [record for record in records if record not in empty]
        if len(records) == 1:
            _log.warning("%s wrote nothing: %s is used", ", ".join(map(str, empty)), records[0])
    if len(records) > 1:
        raise UsageError(f"{path} has {len(records)} runs; give one: {', '.join(map(str, records))}")
    return records[0]


def records_of(folder: Path) -> list[Path]:
    """The records in a folder."""
    return sorted(file for file in folder.iterdir() if _RECORD.fullmatch(file.name))


def _wrote_nothing(record: Path) -> bool:
    """Whether a record says that its run is over, and has no frame; False if it cannot be told."""
    try:
        values = read_record(record)
        if "recovered" in values or values.get("ended", "") is None:  # killed, or still running: its files tell
            return False
        entries = values["videos"] if "videos" in values else values.get("sources", [values])
        return all(not (entry["report"] or {"processed": 0})["processed"] for entry in entries)
    except (DataError, KeyError, TypeError, AttributeError):
        return False


def read_record(record: Path) -> dict[str, Any]:
    """The values of a record, not yet checked. Raises DataError."""
    try:
        if record.stat().st_size > _MOST_BYTES:
            raise DataError(f"{record} is too large for the record of a run")
        values = json.loads(record.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {record}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{record} is not the record of a run: give the run's folder, or its run.json") from None
    if not isinstance(values, dict):
        raise DataError(f"{record} is not the record of a run")
    return values


def run_of(record: Path, model: dict[str, Any], source: dict[str, Any], name: str, began: Any) -> RunInfo:
    """The description of a session; its clock begins at 0. Raises DataError, or what wrong values raise."""
    try:
        card = ModelCard.from_json(json.dumps({"card_version": CARD_VERSION, **model["card"]}), str(record))
    except ModelError as error:
        raise DataError(str(error)) from None
    size, fps = source.get("frame_size"), source.get("fps")
    return RunInfo(
        card=card,
        source=str(source["name"]),
        name=name,
        is_live=source["is_live"] is True,
        frame_size=None if size is None else (int(size[0]), int(size[1])),
        fps=float(fps) if isinstance(fps, int | float) and 0 < fps < 1e9 else None,
        frame_count=None,
        started_at=datetime.fromisoformat(began) if isinstance(began, str) else datetime.now(timezone.utc),
        started_clock=0.0,
    )


def unlike_a_record(record: Path, error: Exception) -> DataError:
    """What to say of a record whose values raised KeyError, TypeError or the like; in words of its reader, not of Python."""
    what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else "one of its values is not what a run writes"
    return DataError(f"{record} is not the record of a run, or is damaged: {what}")


def is_of_recovery_alone(values: Mapping[str, Any]) -> bool:
    """Whether `dlclive recover` wrote the whole record, since the run was over before it wrote one."""
    return "recovered" in values and "options" not in values


def recovered_files(values: Mapping[str, Any]) -> list[str]:
    """The files that a recovery has completed."""
    return [file["path"] for recovery in values.get("recovered") or () for file in recovery["files"]]


def files_of(folder: Path, names: list[Any]) -> tuple[Path, ...]:
    """The files of a run that are still there, finished or not. They are looked for beside run.json, which may have moved."""
    found: dict[Path, None] = {}
    for name in names:
        path = Path(str(name).replace("\\", "/"))
        for candidate in (folder / path, folder / path.name):
            for file in (candidate, candidate.with_name(candidate.name + _PART)):
                if file.is_file():
                    found[file] = None
                    break
            else:
                continue
            break
    return tuple(found)
