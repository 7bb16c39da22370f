"""The processors of a replay: built so that they write into a folder of drafts, with events where they can have them."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dlclive_core.cli.live.parts import output_path
from dlclive_core.cli.parts import build_processor
from dlclive_core.cli.replay.recorded_session import RecordedSession
from dlclive_core.cli.shared_files import Writers, files_of
from dlclive_core.cli.specs import PartSpec
from dlclive_core.components import Processor
from dlclive_core.errors import UsageError
from dlclive_core.hookspecs import ProcessorInfo
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import ComponentSpec
from dlclive_core.session.replay_loop import not_replayable

_EVENTS = "events"


@dataclass(frozen=True, slots=True)
class RehearsedFile:
    """A file that a processor writes in the replay.

    Attributes:
        label: of the processor: its name, with a number if there are several of it.
        settings: the processor's, as text.
        draft: where the replay writes it.
        recorded: where the run wrote it, if it was asked to.
        threshold: the processor's option of this name; None if it has none.
        unit: of the values in the file; empty if the processor's class does not say (`value_unit`).
    """

    label: str
    settings: str
    draft: Path
    recorded: Path | None
    threshold: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Processors, and the files that they write."""

    processors: tuple[Processor, ...]
    files: tuple[RehearsedFile, ...]


def rehearse(session: RecordedSession, parts: Sequence[PartSpec], drafts: Path, catalog: PluginCatalog) -> Rehearsal:
    """Build processors for a replay.

    Each is built twice: once as in the run, for the names of its files, and once with those files among the drafts. Files
    that it reads stay where they are. A processor that can write events does, whether or not it was asked to.

    Raises:
        UsageError, ConfigurationError, PluginError: as for a run; two processors write the same file.
    """
    processors: list[Processor] = []
    files: list[RehearsedFile] = []
    writers: Writers[PartSpec] = Writers()
    labels: Counter[str] = Counter()
    for part in parts:
        assert part.spec is not None
        if not may_replay(part, catalog):
            raise not_replayable(part.spec.name)
        labels[part.spec.name] += 1
        number = labels[part.spec.name]
        label = part.spec.name if number == 1 else f"{part.spec.name} {number}"
        more = _with_events(part, f"{label.replace(' ', '-')}{'' if part.mark else session.mark}.csv", catalog)
        built, written = _build(session, more or part, drafts, catalog)
        processors.append(built)
        for recorded in written:
            draft = drafts / recorded.name
            if (other := writers.add(draft, part)) is not None:
                raise UsageError(f"two processors write {draft.name}: {other.text} and {part.text}; use separate files")
            files.append(
                RehearsedFile(
                    label=label,
                    settings=part.text,
                    draft=draft,
                    recorded=None if more else recorded,
                    threshold=_threshold(part.spec),
                    unit=str(getattr(type(built), "value_unit", "")),
                )
            )
    return Rehearsal(tuple(processors), tuple(files))


def may_replay(part: PartSpec, catalog: PluginCatalog) -> bool:
    """Whether its class says that it runs in replays. Asked before it is built: one may execute a file of the run's folder."""
    assert part.spec is not None
    factory = catalog.factory(catalog.find(ProcessorInfo, part.spec.name))
    return bool(getattr(factory, "replays", False))


def _build(
    session: RecordedSession, part: PartSpec, drafts: Path, catalog: PluginCatalog
) -> tuple[Processor, tuple[Path, ...]]:
    """The processor, and the files that it wrote in the run."""
    as_recorded = partial(output_path, folder=session.folder, source=session.name, mark=part.mark)
    probe = build_processor(part, catalog, resolve_path=as_recorded, overwrite=True)
    recorded = files_of(probe)
    probe.close()

    def resolve(path: Path) -> Path:
        place = as_recorded(path)
        return drafts / place.name if place in recorded else place

    return build_processor(part, catalog, resolve_path=resolve), recorded


def _with_events(part: PartSpec, name: str, catalog: PluginCatalog) -> PartSpec | None:
    """The part with an events file of this name; None if it has one, or takes none."""
    spec = part.spec
    assert spec is not None
    info = catalog.find(ProcessorInfo, spec.name)
    parameters = inspect.signature(catalog.factory(info)).parameters
    if _EVENTS not in parameters or _EVENTS in dict(spec.options):
        return None
    more = replace(part, spec=ComponentSpec(spec.name, spec.first, (*spec.options, (_EVENTS, name))))
    try:
        build_processor(more, catalog).close()
    except UsageError:  # it has an output that writes them, for example
        return None
    return more


def _threshold(spec: ComponentSpec) -> float | None:
    try:
        return float(dict(spec.options)["threshold"])
    except (KeyError, ValueError):
        return None
