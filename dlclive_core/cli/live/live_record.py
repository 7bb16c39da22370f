"""run.json of a live run: written at the start, so that it survives a crash, and again at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.run_spec import RunSpec, without_password
from dlclive_core.cli.record import record_path, write_record
from dlclive_core.components import FrameSource, PoseModel, Sink
from dlclive_core.data.estimate import RunInfo
from dlclive_core.machine.system import system_info
from dlclive_core.session import SessionReport


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The record of one session.

    Attributes:
        name: name of its source, valid in file names.
        facts: facts about its model; see `model_facts`.
        sinks: of the session; one of them may be a replay record.
    """

    name: str
    source: FrameSource
    model: PoseModel
    facts: dict[str, Any]
    sinks: Sequence[Sink] = ()

    @property
    def model_name(self) -> str:
        return Path(self.facts["file"]).name

    def begin(self, folder: Path) -> dict[str, Any]:
        """The values at the start, so that a killed run can be recovered and replayed too; `folder` is that of the record."""
        return {
            "model": self.facts,
            "runtime": self.model.runtime,
            "device": self.model.device,
            "source": self._source(),
            "files": [relative(path, folder) for sink in self.sinks for path in sink.outputs],
        }

    def finish(self, report: SessionReport, picture: Path) -> dict[str, Any]:
        """The values at the end."""
        return {
            **self.begin(picture.parent),
            "outputs": [str(path) for sink in report.sinks for path in sink.outputs if path.exists()],
            "latency_picture": str(picture),
            "report": report.to_dict(),
        }

    def _source(self) -> dict[str, Any]:
        source = self.source
        return {
            "name": source.name,
            "is_live": source.is_live,
            "frame_size": source.frame_size,
            "fps": source.fps,
            "skipped": source.skipped,
            "lost": source.lost,
            "corrupt": source.corrupt,
            "reconnects": source.reconnects,
        }


@dataclass(slots=True)
class LiveRecord:
    """The record of one run. With several sources, the values of each session are nested under `sources`.

    Attributes:
        path: run.json, or run-2.json and so on; None until `begin`.
    """

    spec: RunSpec
    sessions: list[SessionRecord]
    path: Path | None = None
    _values: dict[str, Any] = field(default_factory=dict)

    def begin(self, run: RunInfo) -> None:
        """Write the record at the start, with `ended: null` to mark an unfinished run. Raises DataError."""
        self._values = {
            "began": run.started_at.isoformat(timespec="milliseconds"),
            "ended": None,
            "command": [without_password(argument) for argument in sys.argv[1:]],
            "options": self.spec.to_dict(),
            "system": system_info(),
            **self._by_source([session.begin(self.spec.out) for session in self.sessions]),
        }
        self.path = record_path(self.spec.out, overwrite=self.spec.overwrite, companions=self._picture_paths)
        write_record(self.path, self._values)

    def picture_path(self, session: SessionRecord) -> Path:
        """The path of a session's plot, beside the record: latency-2.svg, with several sources latency-2_left.svg."""
        assert self.path is not None
        return self._picture_paths(self.path)[self.sessions.index(session)]

    def add(self, name: str, values: dict[str, Any]) -> None:
        """Add what a command has measured; `finish` writes it."""
        self._values[name] = values

    def finish(self, reports: Sequence[SessionReport], error: str, code: int) -> dict[str, Any]:
        """Write the outcome and return the complete record. `error` is one line, empty on success. Raises DataError."""
        assert self.path is not None
        ends = [
            session.finish(report, self.picture_path(session))
            for session, report in zip(self.sessions, reports, strict=True)
        ]
        endings = list(dict.fromkeys(report.ending for report in reports))
        self._values |= {
            "ended": datetime.now(timezone.utc).astimezone().isoformat(timespec="milliseconds"),
            "result": "failed" if error else ", ".join(endings),
            "error": error,
            "exit_code": code,
            **self._by_source(ends),
        }
        write_record(self.path, self._values)
        return self._values

    def _picture_paths(self, path: Path) -> list[Path]:
        """The plots that belong to a record of this name."""
        marks = [f"_{session.name}" if len(self.sessions) > 1 else "" for session in self.sessions]
        return [path.with_name(path.stem.replace("run", "latency", 1) + mark + ".svg") for mark in marks]

    def _by_source(self, values: list[dict[str, Any]]) -> dict[str, Any]:
        if len(values) == 1:
            return values[0]
        return {
            "sources": [{"name": session.name, **value} for session, value in zip(self.sessions, values, strict=True)]
        }


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, so that the folder may be moved; on another drive of Windows, the whole path."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return str(path)
