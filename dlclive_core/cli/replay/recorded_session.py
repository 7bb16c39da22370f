"""What run.json says of the sessions of a run: their files, their processors, their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.plan import plan
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.specs import PartSpec, RegionSpec
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.json_fields import JsonFields
from dlclive_core.data.names import file_name_part
from dlclive_core.data.run_record import (
    files_of,
    is_of_recovery_alone,
    read_record,
    recovered_files,
    run_of,
    unlike_a_record,
)
from dlclive_core.errors import ConfigurationError, DataError, DLCLiveError, UsageError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSession:
    """One session of a run, or one video of `dlclive analyze`.

    Attributes:
        name: of its source, valid in file names.
        mark: inserted into the names of its files, `_left`; empty for the only session.
        folder: to which the paths of its processors are relative: that of the run.
        files: what the session left, as far as it is still there.
        processors: as they were set.
        run: its description; its clock begins at 0.
        model_file: of the model.
        fallback: the file of the model that answered for it, and from which `Pose.unlike` on; None: there was none.
        regions: what the model saw of each frame.
        is_whole: the run ended in order, and nothing that the replay record should have is missing in it.
        unlike: why it is not, for a notice.
    """

    name: str
    mark: str
    folder: Path
    files: tuple[Path, ...]
    processors: tuple[PartSpec, ...]
    run: RunInfo
    model_file: str
    regions: RegionSpec
    is_whole: bool
    unlike: str
    fallback: tuple[Path, float] | None = None


def read_sessions(record: Path) -> tuple[RecordedSession, ...]:
    """Read the sessions of a run. Raises DataError, ConfigurationError, ModelError."""
    values = read_record(record)
    fields = JsonFields(values, lambda problem: DataError(f"{record} cannot be read: {problem}"))
    if is_of_recovery_alone(values):
        raise DataError(
            f"{record} was written by `dlclive recover` alone, and does not say what the run was: it cannot be replayed; "
            f"`dlclive convert {record.parent} TARGET` reads the poses"
        )
    options = _object(values, "options", fields)
    try:
        read = _videos if "videos" in values else _live
        sessions = tuple(read(record, values, options))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, DLCLiveError):
            raise
        raise unlike_a_record(record, error) from None
    if not sessions:
        raise DataError(f"{record} has no session")
    return sessions


def chosen(sessions: tuple[RecordedSession, ...], name: str | None) -> tuple[RecordedSession, ...]:
    """The session of a name, or all. Raises UsageError."""
    if name is None:
        return sessions
    found = tuple(session for session in sessions if session.name == name)
    if not found:
        names = [session.name for session in sessions]
        raise UsageError(f"the run has no source {name!r}: {nearest(name, names)}")
    return found


def _object(values: Mapping[str, Any], name: str, fields: JsonFields) -> dict[str, Any]:
    value = values.get(name)
    if not isinstance(value, dict):
        raise fields.error(f"it has no {name}; is it the run.json of `dlclive run` or `dlclive analyze`?")
    return value


def _live(record: Path, values: dict[str, Any], options: dict[str, Any]) -> Iterator[RecordedSession]:
    spec = RunSpec(
        sources=tuple(
            SourceSpec(
                part=PartSpec.source(source["source"]),
                name=source["name"],
                processors=_parts(source["processors"]),
                regions=_regions(source) if "cropping" in source else None,
            )
            for source in options["sources"]
        ),
        models=("-",),
        processors=_parts(options["processors"]),
        regions=_regions(options),
    )
    try:
        planned = plan(spec)
    except (UsageError, ConfigurationError) as error:
        raise DataError(f"{record}: {error}") from None
    entries = values.get("sources", [values])
    # The poses in space of calibrated cameras are an entry of their own, after those of the sources, and are not replayed.
    if len(entries) < len(planned):
        raise DataError(f"{record} has {len(entries)} sources, and its options {len(planned)}: it is damaged")
    for session, entry in zip(planned, entries, strict=False):
        files = files_of(record.parent, [*entry.get("files", ()), *entry.get("outputs", ()), *recovered_files(values)])
        unlike = _unlike(values, entry)
        yield RecordedSession(
            name=session.name,
            mark=f"_{session.name}" if session.is_one_of_several else "",
            folder=record.parent,
            files=files,
            processors=session.processors,
            run=run_of(record, entry["model"], entry["source"], session.name, values.get("began")),
            model_file=str(entry["model"]["file"]),
            fallback=_fallback(entry["model"]),
            regions=session.regions,
            is_whole=not unlike,
            unlike=unlike,
        )


def _videos(record: Path, values: dict[str, Any], options: dict[str, Any]) -> Iterator[RecordedSession]:
    several = len(values["videos"]) > 1
    for entry in values["videos"]:
        name = file_name_part(Path(entry["video"].replace("\\", "/")).stem) or "video"
        source = {"name": entry["video"], "is_live": False}
        yield RecordedSession(
            name=name,
            mark=f"_{name}" if several else "",
            folder=record.parent,
            files=files_of(record.parent, entry["outputs"]),
            processors=_parts(options.get("processors", ())),
            run=run_of(record, values["model"], source, name, values.get("began")),
            model_file=str(values["model"]["file"]),
            fallback=_fallback(values["model"]),
            regions=RegionSpec(),
            is_whole=entry.get("result") == "done",
            unlike="" if entry.get("result") == "done" else f"{entry['video']} {entry.get('result')}",
        )


def _fallback(model: dict[str, Any]) -> tuple[Path, float] | None:
    values = model.get("fallback")
    return None if values is None else (Path(str(values["file"])), float(values["limit"]))


def _parts(texts: Any) -> tuple[PartSpec, ...]:
    return tuple(PartSpec.parse(str(text)) for text in texts)


def _regions(options: dict[str, Any]) -> RegionSpec:
    cropping, dynamic = options.get("cropping"), options.get("dynamic")
    return RegionSpec(
        cropping=None if cropping is None else tuple(cropping),
        dynamic=None if dynamic is None else tuple(dynamic),
        resize=options.get("resize"),
    )


def _unlike(values: dict[str, Any], entry: dict[str, Any]) -> str:
    """Why the events of the run may go on where the record ends; empty if they do not."""
    if values.get("ended") is None:
        return "the run was killed, or is still running"
    report = entry.get("report") or {}
    if report.get("ending") == "error":
        return f"the run failed: {report.get('error') or values.get('error')}"
    for sink in report.get("sinks", ()):
        if sink.get("sink") == "ReplayRecord" and (sink.get("dropped") or sink.get("error")):
            return f"the record lacks {sink.get('dropped')} frames: {sink.get('error') or 'it was too slow'}"
    return ""
