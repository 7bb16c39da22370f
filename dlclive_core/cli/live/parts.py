"""From words to components, before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dlclive_core.cli.live.plan import PlannedSession, plan
from dlclive_core.cli.live.run_spec import ModelSpec, Part, RunSpec, located
from dlclive_core.cli.runtime_options import runtime_options
from dlclive_core.components import FrameSource, Processor, Sink
from dlclive_core.errors import SourceError, UsageError, nearest
from dlclive_core.hookspecs import ProcessorInfo, SinkInfo, SourceInfo
from dlclive_core.models.load import Loading, choose_loading
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.specs import ComponentSpec, OptionError, build_component
from dlclive_core.profiles import Profile, regions_or_own
from dlclive_core.regions import Region, regions_from_options
from dlclive_core.session.tolerant import ON_ERROR, OnError, Tolerant


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model that is not loaded: its words, how it will be loaded, and the further options of its runtime."""

    spec: ModelSpec
    loading: Loading
    options: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """Its file."""
        return self.loading.file


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """All components of a session, made and not opened."""

    spec: PlannedSession
    source: FrameSource
    processors: tuple[Processor, ...]
    sinks: tuple[Sink, ...]
    regions: tuple[Region, ...]

    @property
    def label(self) -> str:
        """The name that the session has besides its source's; empty where nobody gave it one."""
        return self.spec.name if self.spec.is_named else ""

    @property
    def components(self) -> tuple[FrameSource | Processor | Sink, ...]:
        return (*self.processors, self.source, *self.sinks)


@dataclass(frozen=True, slots=True)
class RigParts:
    """The sessions, and the models by their numbers."""

    sessions: tuple[SessionParts, ...]
    models: dict[int, ModelPart]

    @classmethod
    def build(cls, spec: RunSpec, catalog: PluginCatalog) -> RigParts:
        """Make them. Raises what is wrong with the words: UsageError, ConfigurationError, PluginError, ModelError, ..."""
        planned = plan(spec)
        sources = [_source(session.source, catalog) for session in planned]
        for session, source in zip(planned, sources, strict=True):
            if spec.seconds is not None and not source.is_live:
                raise UsageError(
                    f"seconds end a live source, and {session.source.text} is a recording, which is read as fast as it can "
                    "be; use max-frames, or let it play at its own pace: video:PATH,realtime=true"
                )
        models: dict[int, ModelPart] = {}
        for session in planned:
            if session.model_number not in models:
                models[session.model_number] = _model(session.model, catalog)
        sessions = tuple(
            _session(session, source, spec, catalog, models[session.model_number].loading.profile)
            for session, source in zip(planned, sources, strict=True)
        )
        _refuse_one_file_twice(sessions)
        return cls(sessions, models)

    def model(self, session: SessionParts) -> ModelPart:
        """The model of a session."""
        return self.models[session.spec.model_number]

    def close(self) -> None:
        """For a dry run: nothing was opened, and closing is safe."""
        for session in self.sessions:
            for component in session.components:
                component.close()


def _session(
    planned: PlannedSession, source: FrameSource, spec: RunSpec, catalog: PluginCatalog, profile: Profile | None
) -> SessionParts:
    def make(part: Part, kind: type[ProcessorInfo] | type[SinkInfo]) -> Any:
        return _component(
            part, kind, catalog, resolve_path=placing(spec.out, planned.name, part.mark), overwrite=spec.overwrite
        )

    return SessionParts(
        spec=planned,
        source=source,
        processors=tuple(make(part, ProcessorInfo) for part in planned.processors),
        sinks=tuple(make(part, SinkInfo) for part in planned.sinks),
        regions=regions_or_own(
            profile,
            regions_from_options(
                cropping=planned.regions.cropping, dynamic=planned.regions.dynamic, resize=planned.regions.resize
            ).regions,
        ),
    )


def placing(folder: Path, name: str, mark: str) -> Callable[[Path], Path]:
    """Where the file is that a component calls by a path: in the folder, `{source}` in it being the source's name.

    Args:
        mark: is put before the suffix, if `{source}` is not in the path.
    """

    def place(path: Path) -> Path:
        named = Path(str(path).replace("{source}", name))
        if named == path and mark:
            named = path.with_name(f"{path.stem}{mark}{path.suffix}")
        return folder / named

    return place


def _model(spec: ModelSpec, catalog: PluginCatalog) -> ModelPart:
    assert spec.path is not None
    with located(spec.where):
        loading = choose_loading(
            spec.path,
            spec.runtime,
            device=spec.device,
            precision=spec.precision,
            profile=spec.profile,
            catalog=catalog,
        )
        if spec.detector is not None and not spec.detector.exists():
            raise SourceError(f"no such file: {spec.detector}")
    options: dict[str, Any] = {}
    for option in spec.runtime_options:
        with located(option.where):
            options |= runtime_options(loading.runtime, {option.name: option.text}, catalog)
    return ModelPart(spec, loading, options)


def _refuse_one_file_twice(sessions: tuple[SessionParts, ...]) -> None:
    seen: dict[Path, Part] = {}
    for session in sessions:
        for part, sink in zip(session.spec.sinks, session.sinks, strict=True):
            for path in sink.outputs:
                other = seen.setdefault(path.absolute(), part)
                if other is not part:
                    with located(part.where):
                        raise UsageError(
                            f"two sinks write {path.name}: {other.text} and {part.text}; give each a file of its own, "
                            "or {source} in the name"
                        )


def _source(part: Part, catalog: PluginCatalog) -> FrameSource:
    """A source by its name, or the source that reads a file or folder."""
    names = [info.name for info in catalog.components(SourceInfo)]
    with located(part.where, part.lines):
        if part.spec is not None and part.spec.name in names:
            return cast("FrameSource", build_component(catalog, SourceInfo, part.spec))
        if "://" in part.text and "camera" in names:
            return cast("FrameSource", build_component(catalog, SourceInfo, f"camera:{part.text}"))
        if Path(part.text).expanduser().exists() or Path(part.text).suffix:
            return source_for(part.text, catalog)
        raise SourceError(f"no source {part.text!r}, and no such file or folder: {nearest(part.text, names)}")


def _component(part: Part, kind: type[ProcessorInfo] | type[SinkInfo], catalog: PluginCatalog, **how: Any) -> Any:
    assert part.spec is not None
    with located(part.where, part.lines):
        if kind is ProcessorInfo:
            spec, on_error = _tolerance(part.spec)
            made = build_component(catalog, kind, spec, **how)
            return Tolerant(made, on_error) if on_error is not None else made
        return build_component(catalog, kind, part.spec, **how)


def _tolerance(spec: ComponentSpec) -> tuple[ComponentSpec, OnError | None]:
    """`on_error` is an option of every processor: what the session does when it raises."""
    word = dict(spec.options).get("on_error")
    if word is None:
        return spec, None
    if word not in ON_ERROR:
        raise OptionError(f"on_error is no {word!r}: {nearest(word, ON_ERROR)}", "on_error")
    options = tuple(pair for pair in spec.options if pair[0] != "on_error")
    return ComponentSpec(spec.name, spec.first, options), word
