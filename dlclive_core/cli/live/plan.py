"""Assigns a name, model, processors and sinks to each source. Nothing is built yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec, without_password
from dlclive_core.cli.specs import ModelSpec, PartSpec, RegionSpec
from dlclive_core.data.names import file_name_part
from dlclive_core.errors import ConfigurationError, DLCLiveError, UsageError

REPLAY_SINK = "replay"

_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """One planned session.

    Attributes:
        name: name of the source: unique, and valid in file names.
        has_own_name: the user named the source, or there are several sources.
        is_one_of_several: there are several sources.
        model_number: sessions with the same number share one loaded model.
    """

    name: str
    has_own_name: bool
    is_one_of_several: bool
    source: PartSpec
    model: ModelSpec
    model_number: int
    processors: tuple[PartSpec, ...]
    sinks: tuple[PartSpec, ...]
    regions: RegionSpec


def plan(spec: RunSpec) -> tuple[PlannedSession, ...]:
    """Plan one session per source.

    Raises:
        UsageError, ConfigurationError: no source, no model, duplicate names, or a number of models that is neither one nor
            the number of sources. ConfigurationError if the spec is from a file.
    """
    if not spec.sources:
        raise missing_entry(spec, "source", "--source camera:0", "source: camera:0")
    several = len(spec.sources) > 1
    names = _names(spec)
    models = _models(spec)
    sessions = []
    for source, name, (model, number) in zip(spec.sources, names, models, strict=True):
        mark = f"_{name}" if several else ""
        sessions.append(
            PlannedSession(
                name=name,
                has_own_name=several or bool(source.name),
                is_one_of_several=several,
                source=source.part,
                model=model,
                model_number=number,
                processors=(*(replace(part, mark=mark) for part in spec.processors), *source.processors),
                sinks=(*(replace(part, mark=mark) for part in spec.sinks), *source.sinks),
                regions=source.regions or spec.regions,
            )
        )
    return tuple(sessions)


def with_replay_record(session: PlannedSession) -> PlannedSession:
    """The session with the sink `replay`, if it has processors and no such sink yet."""
    names = [part.spec.name for part in session.sinks if part.spec is not None]
    if not session.processors or REPLAY_SINK in names:
        return session
    mark = f"_{session.name}" if session.is_one_of_several else ""
    part = replace(PartSpec.parse(f"{REPLAY_SINK}:poses.replay,numbered=true"), mark=mark)
    return replace(session, sinks=(*session.sinks, part))


def _models(spec: RunSpec) -> list[tuple[ModelSpec, int]]:
    """The model of each source, with the model's number."""
    count = len(spec.sources)
    if spec.models:
        if len(spec.models) not in (1, count):
            raise UsageError(
                f"{len(spec.models)} models for {count} {'sources' if count > 1 else 'source'}: "
                "pass one --model for all, or one per --source, in order"
            )
        own = [replace(source.model or spec.model, where="") for source in spec.sources]
        if len(spec.models) == 1:
            return [(replace(spec.model, path=spec.models[0], where=""), 0)] * count
        return [(replace(model, path=path), k) for k, (model, path) in enumerate(zip(own, spec.models, strict=True))]
    models = [
        (source.model, number + 1) if source.model is not None else (spec.model, 0)
        for number, source in enumerate(spec.sources)
    ]
    if any(model.path is None for model, _ in models):
        raise missing_entry(spec, "model", "--model mouse.onnx", "model: mouse.onnx")
    return models


def _names(spec: RunSpec) -> list[str]:
    names = [source.name or name_of(source.part) for source in spec.sources]
    sources: dict[str, SourceSpec] = {}
    for name, source in zip(names, spec.sources, strict=True):
        if not _NAME.fullmatch(name) or name != file_name_part(name):
            raise _error(source, f"invalid source name {name!r}: names become part of file names, also on Windows")
        other = sources.setdefault(name.casefold(), source)
        if other is not source:
            advice = (
                "use a different name for each"
                if source.part.where
                else f"name them: --source left={other.part.text} --source right={source.part.text}"
            )
            raise _error(source, f"two sources have the name {name!r}; {advice}")
    return names


def name_of(part: PartSpec) -> str:
    """Derive a name from a source: `camera:0` becomes camera-0, and a file its name without the suffix."""
    text = without_password(part.text)
    pieces = [text]
    if part.spec is not None:
        spec = part.spec
        first = without_password(spec.first or "")
        values = [value for _, value in spec.options]
        file = spec.name if spec.first is None and not values else first
        path = Path(file.replace("\\", "/"))
        pieces = [path.stem] if path.suffix and "//" not in file else [spec.name, *filter(None, [first]), *values]
    elif Path(text).suffix:
        pieces = [Path(text).stem]
    return file_name_part(re.sub(r"[^\w.]+", "-", "-".join(pieces)).strip("-.")) or "source"


def _error(source: SourceSpec, message: str) -> DLCLiveError:
    where = source.part.where
    return ConfigurationError(f"{where}: {message}") if where else UsageError(message)


def missing_entry(spec: RunSpec, what: str, option: str, line: str) -> DLCLiveError:
    if spec.file:
        return ConfigurationError(f"{spec.file} has no {what}: add a line such as {line}")
    return UsageError(f"no {what}: pass {option}, or a session file")
