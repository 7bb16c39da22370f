"""The record of a recovery in run.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core import DataError, OutputExistsError, RecoveryReport, write_whole
from dlclive_core.runtimes import json_text
from dlclive_io.tables.journal_content import JournalContent
from dlclive_io.tables.pose_journal import SUFFIX


def journal_headers(folder: Path) -> list[dict[str, Any]]:
    """The headers of the journals in a folder; unreadable journals are skipped."""
    headers = []
    for path in sorted(folder.glob(f"[!.]*.h5{SUFFIX}")):
        try:
            headers.append(JournalContent(path).header)
        except DataError:
            continue  # reported with its table
    return headers


def note_recovery(report: RecoveryReport, headers: Sequence[dict[str, Any]]) -> Path:
    """Add the report to run.json and return its path.

    The newest `run*.json` whose `ended` is null is that of the run; without one, a new one is written from
    the journals. Other runs' files are not touched.
    """
    now = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")
    unfinished = _unfinished(report.folder)
    values: dict[str, Any] = {"began": headers[0].get("started_at") if headers else None, "ended": None}
    if headers:
        values["source"], values["model"] = headers[0].get("source"), {"card": headers[0].get("card")}
    if unfinished is not None:
        path, values = unfinished
    earlier = values.get("recovered")
    values["recovered"] = [*(earlier if isinstance(earlier, list) else ()), {"at": now, **report.to_dict()}]
    text = json_text(values) + "\n"
    if unfinished is not None:
        write_whole(path, text)
        return path
    return _write_new(report.folder, text)


def _write_new(folder: Path, text: str) -> Path:
    """Write the first of run.json, run-2.json and so on that is free."""
    path, number = folder / "run.json", 1
    while True:
        try:
            write_whole(path, text, overwrite=False)
        except OutputExistsError:
            number += 1
            path = folder / f"run-{number}.json"
        else:
            return path


def _unfinished(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    for path in sorted(folder.glob("run*.json"), key=_changed_at, reverse=True):
        if path.is_symlink():
            continue
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(values, dict) and "ended" in values and values["ended"] is None:
            return path, values
    return None


def _changed_at(path: Path) -> float:
    return path.lstat().st_mtime
