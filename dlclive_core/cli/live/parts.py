"""Builds the sessions of a live run from their specs, without opening components or loading models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dlclive_core.cli.live.plan import REPLAY_SINK, PlannedSession, plan, with_replay_record
from dlclive_core.cli.live.run_spec import RunSpec
from dlclive_core.cli.live.views_spec import NAME, ViewsSpec
from dlclive_core.cli.parts import ModelPart, build_processor, build_regions, build_sink
from dlclive_core.cli.shared_files import Writers, files_of
from dlclive_core.cli.specs import PartSpec, located
from dlclive_core.components import FrameSource, Processor, Sink
from dlclive_core.errors import SourceError, UsageError, nearest
from dlclive_core.hookspecs import SinkInfo, SourceInfo
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.specs import build_component
from dlclive_core.profiles import Profile
from dlclive_core.regions import Region

if TYPE_CHECKING:
    from dlclive_core.cli.live.views_parts import ViewsParts


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """All components of a session, built but not opened."""

    spec: PlannedSession
    source: FrameSource
    processors: tuple[Processor, ...]
    sinks: tuple[Sink, ...]
    regions: tuple[Region, ...]

    @property
    def label(self) -> str:
        """The session's name if it has its own; else empty, and the source's name applies."""
        return self.spec.name if self.spec.has_own_name else ""

    @property
    def components(self) -> tuple[FrameSource | Processor | Sink, ...]:
        return (*self.processors, self.source, *self.sinks)


@dataclass(frozen=True, slots=True)
class RigParts:
    """The sessions of a run, its models by number, and what is done with poses in space."""

    sessions: tuple[SessionParts, ...]
    models: dict[int, ModelPart]
    views: ViewsParts | None = None

    @classmethod
    def build(cls, spec: RunSpec, catalog: PluginCatalog) -> RigParts:
        """Build all sessions. Raises UsageError, ConfigurationError, PluginError, ModelError, ... for an invalid spec."""
        planned = plan(spec)
        if spec.replay and any(info.name == REPLAY_SINK for info in catalog.components(SinkInfo)):
            planned = tuple(with_replay_record(session) for session in planned)
        sources = [build_source(session.source, catalog) for session in planned]
        for session, source in zip(planned, sources, strict=True):
            if spec.seconds is not None and not source.is_live:
                raise UsageError(
                    f"seconds limits live sources only; {session.source.text} is a recording, which is processed as fast as "
                    "possible. Use max-frames, or replay it at its own rate: video:PATH,realtime=true"
                )
        models: dict[int, ModelPart] = {}
        for session in planned:
            if session.model_number not in models:
                models[session.model_number] = ModelPart.build(session.model, catalog)
        sessions = tuple(
            _build_session(session, source, spec, catalog, models[session.model_number].loading.profile)
            for session, source in zip(planned, sources, strict=True)
        )
        views = build_views(spec, [session.name for session in planned], catalog)
        _refuse_shared_files(sessions, views)
        return cls(sessions, models, views)

    def model(self, session: SessionParts) -> ModelPart:
        """The model of a session."""
        return self.models[session.spec.model_number]

    def close(self) -> None:
        """Close components that were never opened, after a dry run."""
        for session in self.sessions:
            for component in session.components:
                component.close()
        if self.views is not None:
            self.views.close()


def build_views(spec: RunSpec, cameras: list[str], catalog: PluginCatalog) -> ViewsParts | None:
    """Build the parts of the 3-D session; None for a run without poses in space. See `ViewsParts.build`."""
    if spec.views == ViewsSpec():
        return None
    from dlclive_core.cli.live.views_parts import ViewsParts

    resolve_path = partial(output_path, folder=spec.out, source=NAME, mark="")
    return ViewsParts.build(spec.views, cameras, catalog, {"resolve_path": resolve_path, "overwrite": spec.overwrite})


def _build_session(
    planned: PlannedSession, source: FrameSource, spec: RunSpec, catalog: PluginCatalog, profile: Profile | None
) -> SessionParts:
    def options(part: PartSpec) -> dict[str, Any]:
        resolve_path = partial(output_path, folder=spec.out, source=planned.name, mark=part.mark)
        return {"resolve_path": resolve_path, "overwrite": spec.overwrite}

    return SessionParts(
        spec=planned,
        source=source,
        processors=tuple(build_processor(part, catalog, **options(part)) for part in planned.processors),
        sinks=tuple(build_sink(part, catalog, **options(part)) for part in planned.sinks),
        regions=build_regions(planned.regions, profile),
    )


def output_path(path: Path, *, folder: Path, source: str, mark: str) -> Path:
    """The path of a component's file: in `folder`, with `{source}` replaced by the name of the source.

    Args:
        mark: inserted before the suffix if the path does not contain `{source}`.
    """
    file = Path(str(path).replace("{source}", source))
    if file == path and mark:
        file = path.with_name(f"{path.stem}{mark}{path.suffix}")
    return folder / file


def _refuse_shared_files(sessions: tuple[SessionParts, ...], views: ViewsParts | None) -> None:
    """Raise UsageError or ConfigurationError if two sinks or processors write the same file."""
    writers: Writers[PartSpec] = Writers()
    for session in (*sessions, *(() if views is None else (views,))):
        parts = (*session.spec.sinks, *session.spec.processors)
        for part, component in zip(parts, (*session.sinks, *session.processors), strict=True):
            for path in files_of(component):
                other = writers.add(path, part)
                if other is not None:
                    kind = "sinks" if part in session.spec.sinks else "processors"
                    with located(part.where):
                        raise UsageError(
                            f"two {kind} write {path.name}: {other.text} and {part.text}; use separate files, "
                            "or put {source} in the file name"
                        )


def build_source(part: PartSpec, catalog: PluginCatalog) -> FrameSource:
    """Build a source from its name, a camera's URL, or a file or folder."""
    names = [info.name for info in catalog.components(SourceInfo)]
    with located(part.where, part.lines):
        if part.spec is not None and part.spec.name in names:
            return cast("FrameSource", build_component(catalog, SourceInfo, part.spec))
        if part.spec is not None:
            catalog.check_installed(SourceInfo, part.spec.name)
        if "://" in part.text:
            return cast("FrameSource", build_component(catalog, SourceInfo, f"camera:{part.text}"))
        if Path(part.text).expanduser().exists() or Path(part.text).suffix:
            return source_for(part.text, catalog)
        raise SourceError(f"no source {part.text!r}, and no such file or folder: {nearest(part.text, names)}")
