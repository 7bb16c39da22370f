"""run.json: the model, options, machine and outcome of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.errors import DLCLiveError, OutputExistsError
from dlclive_core.machine.files import write_whole
from dlclive_core.machine.json_text import json_text
from dlclive_core.machine.system import sha256, system_info
from dlclive_core.models.cascade import Cascade
from dlclive_core.session import SessionReport


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """The outcome for one video."""

    path: Path
    report: SessionReport | None
    error: DLCLiveError | None

    @property
    def verdict(self) -> str:
        """done, stopped or failed."""
        if self.error is not None:
            return f"failed ({type(self.error).__name__})"
        return "done" if self.report is not None and self.report.complete else "stopped"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        sinks = self.report.sinks if self.report else ()
        # One that was refused has the name of a file that another run wrote.
        outputs = [str(path) for sink in sinks if sink.finished or sink.written for path in sink.outputs]
        return {
            "video": str(self.path),
            "result": self.verdict,
            "error": str(self.error or ""),
            "exit_code": self.error.exit_code if self.error else 0,
            "outputs": [path for path in outputs if Path(path).exists()],
            "report": self.report.to_dict() if self.report else None,
        }


@dataclass(slots=True)
class RunRecord:
    """One call of `dlclive analyze`."""

    folder: Path
    model_name: str
    model: dict[str, Any]
    runtime: str
    device: str
    options: Mapping[str, Any]
    began: str
    videos: list[VideoRecord] = field(default_factory=list)

    @classmethod
    def begin(cls, folder: Path, model: PoseModel, options: Mapping[str, Any], load_seconds: float) -> RunRecord:
        """Start the record, before the first video."""
        facts = model_facts(model, load_seconds)
        return cls(
            folder=folder,
            model_name=Path(facts["file"]).name,
            model=facts,
            runtime=model.runtime,
            device=model.device,
            options=options,
            began=datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds"),
        )

    def add(self, path: Path, report: SessionReport | None, error: DLCLiveError | None) -> None:
        """Record the outcome for a video."""
        self.videos.append(VideoRecord(path, report, error))

    @property
    def exit_code(self) -> int:
        """The exit code of the first video that failed, or 0."""
        return next((video.error.exit_code for video in self.videos if video.error is not None), 0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "began": self.began,
            "command": sys.argv[1:],
            "options": dict(self.options),
            "model": self.model,
            "runtime": self.runtime,
            "device": self.device,
            "system": system_info(),
            "videos": [video.to_dict() for video in self.videos],
        }

    def write(self, *, overwrite: bool) -> Path:
        """Write run.json beside the outputs; see `record_path`. Returns its path. Raises DataError."""
        path = record_path(self.folder, overwrite=overwrite)
        write_record(path, self.to_dict())
        return path


def record_path(folder: Path, *, overwrite: bool, companions: Callable[[Path], Iterable[Path]] = lambda _: ()) -> Path:
    """run.json in a folder; if that exists and must not be overwritten, run-2.json, and so on. Raises DataError.

    The name is taken at once, with an empty object in the file: runs that begin or end at the same moment get names of
    their own.

    Args:
        companions: the files that will lie beside a record of this name; a number whose companions exist is not taken.
    """
    path, number = folder / "run.json", 1
    while not overwrite:
        try:
            if not any(os.path.lexists(companion) for companion in companions(path)):
                write_whole(path, "{}\n", overwrite=False)
                break
        except OutputExistsError:
            pass
        number += 1
        path = folder / f"run-{number}.json"
    return path


def write_record(path: Path, values: dict[str, Any]) -> None:
    """Write JSON atomically. Raises DataError."""
    write_whole(path, json_text(values) + "\n")


def model_facts(model: PoseModel, load_seconds: float) -> dict[str, Any]:
    """The record's facts about a loaded model: its files, hashes, card, profile and loading time in seconds."""
    assert model.file is not None
    facts: dict[str, Any] = {
        "file": str(model.file),
        "sha256": sha256(model.file),
        "card": asdict(model.card),
        "load_seconds": load_seconds,
        "profile": None,
    }
    if isinstance(model, Cascade):
        facts["fallback"] = _fallback_facts(model)
    if model.profile is not None:
        facts["profile"] = {"file": str(model.profile.path or ""), "as": model.profile.label}
    if model.loaded_file is not None and model.loaded_file != model.file:  # an export named in the profile
        facts["loaded"] = {"file": str(model.loaded_file), "sha256": sha256(model.loaded_file)}
    return facts


def _fallback_facts(model: Cascade) -> dict[str, Any]:
    """What answered the frames that are unlike the student's training, and from which limit on."""
    teacher, file = model.teacher, model.teacher.file
    return {
        "file": None if file is None else str(file),
        "sha256": None if file is None else sha256(file),
        "limit": model.limit,
        "runtime": teacher.runtime,
        "device": teacher.device,
    }
