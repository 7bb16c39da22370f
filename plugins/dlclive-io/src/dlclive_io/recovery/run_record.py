"""The record of a recovery in run.json."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core import DataError, RecoveryReport
from dlclive_io.tables.pose_journal import SUFFIX, JournalContent


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

    The newest `run*.json` whose `ended` is null is that of the run; without one, a new one is written with what the
    journals tell. Other runs' files are not touched.
    """
    now = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")
    path = _unfinished(report.folder)
    if path is not None:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    else:
        path, number = report.folder / "run.json", 1
        while path.exists():
            number += 1
            path = report.folder / f"run-{number}.json"
        values = {"began": headers[0]["started_at"] if headers else None, "ended": None}
        if headers:
            values["source"], values["model"] = headers[0]["source"], {"card": headers[0]["card"]}
    values.setdefault("recovered", []).append({"at": now, **report.to_dict()})
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def _unfinished(folder: Path) -> Path | None:
    for path in sorted(folder.glob("run*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(values, dict) and "ended" in values and values["ended"] is None:
            return path
    return None
