"""From words to components, before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dlclive_core.catalog import PluginCatalog
from dlclive_core.cli.live.words import Part, RunWords, located
from dlclive_core.components import FrameSource, Processor, Sink
from dlclive_core.errors import ConfigurationError, SourceError, UsageError, nearest
from dlclive_core.hookspecs import ProcessorInfo, RuntimeInfo, SinkInfo, SourceInfo
from dlclive_core.models import choose_runtime
from dlclive_core.regions import Region, regions_from_options
from dlclive_core.session.tolerant import ON_ERROR, OnError, Tolerant
from dlclive_core.sources import source_for
from dlclive_core.specs import ComponentSpec, OptionError, build_component


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """All components of a session, made and not opened, and the file and runtime of the model, not loaded."""

    source: FrameSource
    processors: tuple[Processor, ...]
    sinks: tuple[Sink, ...]
    regions: tuple[Region, ...]
    model_file: Path
    runtime: RuntimeInfo

    @classmethod
    def build(cls, words: RunWords, catalog: PluginCatalog) -> SessionParts:
        """Make them. Raises what is wrong with the words: UsageError, ConfigurationError, PluginError, ModelError, ..."""
        if words.source is None:
            raise _missing(words, "source", "--source camera:0", "source: camera:0")
        if words.model.path is None:
            raise _missing(words, "model", "--model mouse.onnx", "model: mouse.onnx")
        source = _source(words.source, catalog)
        if words.seconds is not None and not source.is_live:
            raise UsageError(
                f"seconds end a live source, and {words.source.text} is a recording, which is read as fast as it can be; "
                "use max-frames, or let it play at its own pace: video:PATH,realtime=true"
            )
        with located(words.model.where):
            file, runtime = choose_runtime(words.model.path, words.model.runtime, catalog)
            if words.model.detector is not None and not words.model.detector.exists():
                raise SourceError(f"no such file: {words.model.detector}")
        how = {"folder": words.out, "overwrite": words.overwrite}
        return cls(
            source=source,
            processors=tuple(_component(part, ProcessorInfo, catalog, **how) for part in words.processors),
            sinks=tuple(_component(part, SinkInfo, catalog, **how) for part in words.sinks),
            regions=regions_from_options(cropping=words.cropping, dynamic=words.dynamic, resize=words.resize).regions,
            model_file=file,
            runtime=runtime,
        )

    def close(self) -> None:
        """For a dry run: nothing was opened, and closing is safe."""
        for component in (*self.processors, self.source, *self.sinks):
            component.close()


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


def _missing(words: RunWords, what: str, option: str, line: str) -> Exception:
    if words.file:
        return ConfigurationError(f"{words.file} names no {what}: add a line such as {line}")
    return UsageError(f"there is no {what}: give {option}, or a session file")
