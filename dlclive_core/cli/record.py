"""run.json: what was done, with what, on which machine, and how it went."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlclive_core.components import PoseModel
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import DataError, DLCLiveError
from dlclive_core.machine.system import sha256, system_info
from dlclive_core.session import SessionReport

if TYPE_CHECKING:
    from dlclive_core.cli.analyze import AnalyzeOptions


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """What became of one video."""

    path: Path
    report: SessionReport | None
    error: DLCLiveError | None

    @property
    def verdict(self) -> str:
        if self.error is not None:
            return f"failed ({type(self.error).__name__})"
        return "done" if self.report is not None and self.report.complete else "stopped"

    def to_dict(self) -> dict[str, Any]:
        outputs = [str(path) for sink in self.report.sinks for path in sink.outputs] if self.report else []
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
    options: dict[str, Any]
    began: str
    videos: list[VideoRecord] = field(default_factory=list)

    @classmethod
    def begin(cls, folder: Path, model: PoseModel, options: AnalyzeOptions, load_seconds: float) -> RunRecord:
        """Note what is known before the first video."""
        from dlclive_core.cli.analyze import options_as_dict

        file = locate_model(options.model, {Path(options.model).suffix, ".pt", ".onnx"})
        return cls(
            folder=folder,
            model_name=file.name,
            model=model_facts(file, model, load_seconds),
            runtime=model.runtime,
            device=model.device,
            options=options_as_dict(options),
            began=datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds"),
        )

    def add(self, path: Path, report: SessionReport | None, error: DLCLiveError | None) -> None:
        """Note what became of a video."""
        self.videos.append(VideoRecord(path, report, error))

    @property
    def exit_code(self) -> int:
        """Of the first video that failed, 0 if none did."""
        return next((video.error.exit_code for video in self.videos if video.error is not None), 0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "began": self.began,
            "command": sys.argv[1:],
            "options": self.options,
            "model": self.model,
            "runtime": self.runtime,
            "device": self.device,
            "system": system_info(),
            "videos": [video.to_dict() for video in self.videos],
        }

    def write(self, *, overwrite: bool) -> Path:
        """Write run.json beside the outputs; an earlier one is kept, unless `overwrite`, and this one is run-2.json, ..."""
        path = record_path(self.folder, overwrite=overwrite)
        write_record(path, self.to_dict())
        return path


def record_path(folder: Path, *, overwrite: bool) -> Path:
    """run.json in a folder; if it is there and not to be overwritten, run-2.json, and so on."""
    path, number = folder / "run.json", 1
    while path.exists() and not overwrite:
        number += 1
        path = folder / f"run-{number}.json"
    return path


def write_record(path: Path, values: dict[str, Any]) -> None:
    """Write JSON so that the file is whole or not there. Raises DataError."""
    write_whole(path, json.dumps(values, indent=2, default=str) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text so that the file is whole or not there. Raises DataError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def model_facts(file: Path, model: PoseModel, load_seconds: float) -> dict[str, Any]:
    """What a record says about the model."""
    profile = model.profile
    return {
        "file": str(file),
        "sha256": sha256(file),
        "card": asdict(model.card),
        "load_seconds": load_seconds,
        "profile": None if profile is None else {"file": str(profile.path or ""), "as": profile.label},
    }
