"""Finds all errors of a session that can be known before it runs. Loads the model, and opens recordings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dlclive_core.cli.live.parts import build_source, build_views, output_path
from dlclive_core.cli.live.plan import PlannedSession, missing_entry, plan
from dlclive_core.cli.live.problems import Problems
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.views_spec import NAME
from dlclive_core.cli.parts import ModelPart, build_processor, build_regions, build_sink
from dlclive_core.cli.specs import PartSpec, located
from dlclive_core.components import FrameSource, Processor, Sink
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import DataError, DLCLiveError, OutputExistsError, PluginError
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import convert
from dlclive_core.profiles import Profile
from dlclive_core.regions import Chain, fit_to_model
from dlclive_core.session.component_calls import errors_named
from dlclive_core.session.dimensions import check_dimensions


def find_problems(spec: RunSpec, catalog: PluginCatalog, problems: Problems) -> None:
    """Add to `problems` what `dlclive run` would refuse.

    A component with an error does not hide those of the others.
    """
    _Search(spec, catalog, problems).run()


@dataclass(frozen=True, slots=True)
class _LoadedModel:
    """What is known of a model; None as far as it has an error."""

    card: ModelCard | None = None
    cards: tuple[ModelCard, ...] = ()
    profile: Profile | None = None


class _Search:
    def __init__(self, spec: RunSpec, catalog: PluginCatalog, problems: Problems) -> None:
        self._spec, self._catalog, self._caught = spec, catalog, problems.caught
        self._entries = problems.entries
        self._models: dict[int, _LoadedModel] = {}
        self._planned_sessions: tuple[PlannedSession, ...] = ()

    def run(self) -> None:
        self._planned_sessions = self._planned()
        for session in self._planned_sessions:
            if session.model_number not in self._models:
                self._models[session.model_number] = self._load(session)
            self._check_session(session, self._models[session.model_number])
        self._check_views()
        with self._caught():
            _check_folder(self._spec.out, self._spec.out)

    def _planned(self) -> tuple[PlannedSession, ...]:
        """The sessions; those of a spec without a source or a model too, for the other components."""
        spec = self._spec
        if not spec.sources:
            if "source" not in self._entries:
                with self._caught():
                    raise missing_entry(spec, "source", "--source camera:0", "source: camera:0")
            spec = replace(spec, sources=(SourceSpec.parse("mouse"),))
        if not spec.models and any((source.model or spec.model).path is None for source in spec.sources):
            if "model" not in self._entries:
                with self._caught():
                    raise missing_entry(spec, "model", "--model mouse.onnx", "model: mouse.onnx")
            spec = replace(spec, models=("",))
        with self._caught():
            return plan(spec)
        with suppress(DLCLiveError):  # two sources with one name, or an invalid one
            return plan(replace(spec, sources=spec.sources[:1], models=spec.models[:1]))
        return ()

    def _load(self, session: PlannedSession) -> _LoadedModel:
        if not session.model.path:
            return _LoadedModel()
        profile: Profile | None = None
        with self._caught():
            part = ModelPart.build(session.model, self._catalog)
            profile = part.loading.profile
            with part.load(self._catalog) as model:
                return _LoadedModel(model.card, model.cards, profile)
        return _LoadedModel(profile=profile)

    def _check_session(self, session: PlannedSession, model: _LoadedModel) -> None:
        source: FrameSource | None = None
        with self._caught():
            source = build_source(session.source, self._catalog)
        is_live = source is None or source.is_live
        with self._caught(), located(self._spec.file):
            chain = Chain(build_regions(session.regions, model.profile))
            if model.cards:
                fit_to_model(chain, *model.cards)
            size = None if source is None else self._frame_size(source, session.source)
            if size is not None:
                chain.views((size[1], size[0]))
        for part in session.processors:
            self._check_component(part, session.name, model.card, is_live, build_processor)
        for part in session.sinks:
            self._check_component(part, session.name, model.card, is_live, build_sink)
        if source is not None:
            source.close()

    def _check_views(self) -> None:
        """The calibration, and what is done with poses in space."""
        sessions, views = self._planned_sessions, self._spec.views
        cameras = [session.name for session in sessions] or ["", ""]
        card = next((model.card for model in self._models.values() if model.card is not None), None)
        with self._caught():
            without_parts = replace(views, processors=(), sinks=()) if views.calibration is not None else views
            build_views(replace(self._spec, views=without_parts), cameras, self._catalog)
        if views.calibration is not None:
            for part in views.processors:
                self._check_component(part, NAME, card, True, build_processor, dimensions=3)
            for part in views.sinks:
                self._check_component(part, NAME, card, True, build_sink, dimensions=3)

    def _frame_size(self, source: FrameSource, part: PartSpec) -> tuple[int, int] | None:
        """(width, height), if the source knows it; a recording is opened for that."""
        with self._caught(), located(part.where, part.lines), errors_named(PluginError, part.text):
            if source.frame_size is None and not source.is_live:
                with source:
                    source.open()
                    return source.frame_size
            return source.frame_size
        return None

    def _check_component(
        self,
        part: PartSpec,
        source: str,
        card: ModelCard | None,
        is_live: bool,
        build: Callable[..., Processor | Sink],
        *,
        dimensions: int = 2,
    ) -> None:
        resolve_path = partial(output_path, folder=self._spec.out, source=source, mark=part.mark)
        component: Processor | Sink | None = None
        with self._caught():
            component = build(part, self._catalog, resolve_path=resolve_path, overwrite=self._spec.overwrite)
        if component is None:
            return
        with self._caught(), located(part.where):
            check_dimensions(dimensions, [component])
        name = part.spec.name if part.spec is not None else part.text
        if card is not None:
            with self._caught(), located(part.where, part.lines), errors_named(PluginError, f"{name}.check"):
                component.check(card)
        overwrite = self._spec.overwrite or (part.spec is not None and _overwrites(part))
        for path in component.outputs:
            with self._caught():
                try:
                    is_folder = isinstance(component, Sink) and component.writes_folders
                    _check_file(path, self._spec.out, overwrite=overwrite, is_live=is_live, is_folder=is_folder)
                except DLCLiveError as error:  # the kind, and thus the exit code, stays that of a run
                    raise type(error)(f"{part.where}: {error}") from error
        component.close()


def _overwrites(part: PartSpec) -> bool:
    """Whether the component's own option says that it may replace files."""
    assert part.spec is not None
    text = dict(part.spec.options).get("overwrite", "false")
    return convert(text, bool, "overwrite") is True


def _check_file(path: Path, out: Path, *, overwrite: bool, is_live: bool, is_folder: bool) -> None:
    """Raise OutputExistsError or DataError if a run could not write this file."""
    if path.is_dir() and not is_folder:
        raise DataError(f"cannot write {path}: it is a folder")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists: use overwrite (--overwrite), or choose another name")
    part = path.with_name(path.name + ".part")
    if is_live and not overwrite and part.exists() and part.stat().st_size:
        raise OutputExistsError(
            f"{part} was left by an interrupted run: complete it with `dlclive recover {path.parent}`, use overwrite "
            "(--overwrite), or choose another name"
        )
    _check_folder(path.parent, out)


def _check_folder(folder: Path, out: Path) -> None:
    """Raise DataError if files cannot be written into a folder. A run creates `out` and its parents, and no others."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if existing != folder.absolute() and folder.absolute() not in (out.absolute(), *out.absolute().parents):
        raise DataError(f"no folder {folder}; create it first")
    if not existing.is_dir():
        raise DataError(f"cannot create the folder {folder}: {existing} is a file")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise DataError(f"cannot write into {existing}: {error.strerror}") from None
