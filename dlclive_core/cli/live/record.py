"""run.json of a live session: written when it begins, so that a crash leaves it, and again at its end."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.words import RunWords
from dlclive_core.cli.record import record_path, write_record
from dlclive_core.components import FrameSource, PoseModel
from dlclive_core.errors import DataError, DLCLiveError
from dlclive_core.estimate import RunInfo
from dlclive_core.session import SessionReport
from dlclive_core.system import system_info


@dataclass(slots=True)
class LiveRecord:
    """What is known about one session.

    Attributes:
        model: its facts, see `model_facts`.
        path: of run.json, or run-2.json and so on; None until `begin`.
    """

    words: RunWords
    source: FrameSource
    runtime: str
    device: str
    model: dict[str, Any]
    path: Path | None = None
    _values: dict[str, Any] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        return Path(self.model["file"]).name

    @classmethod
    def of(cls, words: RunWords, source: FrameSource, model: PoseModel, facts: dict[str, Any]) -> LiveRecord:
        """Before the session."""
        return cls(words, source, model.runtime, model.device, facts)

    def begin(self, run: RunInfo) -> None:
        """Write what is known at the start, with `ended: null`, which says that nobody finished it. Raises DataError."""
        self._values = {
            "began": run.started_at.isoformat(timespec="milliseconds"),
            "ended": None,
            "command": sys.argv[1:],
            "options": self.words.to_dict(),
            "model": self.model,
            "runtime": self.runtime,
            "device": self.device,
            "system": system_info(),
            "source": self._source(),
        }
        self.path = record_path(self.words.out, overwrite=self.words.overwrite)
        write_record(self.path, self._values)

    def picture_path(self) -> Path:
        """Beside run-2.json lies latency-2.svg."""
        assert self.path is not None
        return self.path.with_name(self.path.stem.replace("run", "latency", 1) + ".svg")

    def finish(self, report: SessionReport, error: DLCLiveError | None, code: int, picture: Path) -> dict[str, Any]:
        """Write how it went, and return all of it. Raises DataError."""
        assert self.path is not None
        outputs = [str(path) for sink in report.sinks for path in sink.outputs if path.exists()]
        self._values |= {
            "ended": datetime.now(timezone.utc).astimezone().isoformat(timespec="milliseconds"),
            "result": "failed" if error is not None else report.ending,
            "error": str(error or ""),
            "exit_code": code,
            "source": self._source(),
            "outputs": outputs,
            "latency_picture": str(picture),
            "report": report.to_dict(),
        }
        write_record(self.path, self._values)
        return self._values

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


def what_was_lost(report: SessionReport, source: FrameSource) -> DataError | None:
    """A session that came to its end and still lost data that was to be kept."""
    for sink in report.sinks:
        if sink.error:
            return DataError(f"{sink.sink} stopped after {sink.written} frames: {sink.error}")
    if report.corrupt and not source.is_live:
        return DataError(
            f"{source.name} is damaged: {report.corrupt} pieces could not be decoded, {report.processed} frames could"
        )
    return None
