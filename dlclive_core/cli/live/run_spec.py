"""What a live session is made of, in words: given on the command line, in a file, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlclive_core.errors import ConfigurationError, DLCLiveError, UsageError
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.plugins.specs import ComponentSpec, OptionError

_REPLACED = ("models", "max_frames", "seconds", "deadline", "stale_after", "out", "overwrite")
_NAMED = re.compile(r"([A-Za-z][\w-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One component.

    Attributes:
        text: as it was given, for messages.
        spec: the component's name and options; None for a source that is a path.
        where: "rig.yaml:7", or empty for the command line.
        lines: where each of its options is.
        mark: what is put behind the names of its files, before the suffix: `_left` for a sink of several sources.
    """

    text: str
    spec: ComponentSpec | None
    where: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

    @classmethod
    def source(cls, text: str, where: str = "") -> Part:
        """A source: words as for other components, or a path, or a URL."""
        try:
            return cls(text, ComponentSpec.parse(text), where)
        except UsageError:  # a path with commas
            return cls(text, None, where)

    @classmethod
    def parse(cls, text: str, where: str = "") -> Part:
        """Read `name:option=value,...`."""
        with located(where):
            return cls(text, ComponentSpec.parse(text), where)


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """A further option of a runtime; `where` is as in Part."""

    name: str
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """The model, and how it is loaded; the same options as those of `dlclive analyze`."""

    path: str | None = None
    runtime: str | None = None
    device: str = "auto"
    precision: str = "auto"
    profile: str = "auto"
    runtime_options: tuple[OptionSpec, ...] = ()
    detector: Path | None = None
    detection: DetectionOptions = field(default_factory=DetectionOptions)
    where: str = ""

    def options_to_dict(self) -> dict[str, str]:
        """The runtime's options, for run.json."""
        return {option.name: option.text for option in self.runtime_options}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpec:
    """What the model looks at of each frame."""

    cropping: tuple[int, int, int, int] | None = None
    dynamic: tuple[float, float] | None = None
    resize: float | None = None

    def with_more(self, more: RegionSpec) -> RegionSpec:
        """These, with those that are given in `more` in place of them."""
        given = {name: value for name, value in asdict(more).items() if value is not None}
        return replace(self, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One of the sources, and what belongs to it alone.

    Attributes:
        name: as it was given, else empty: then it is made from the source's own spec.
        model: None: the one for all.
        processors, sinks: after those for all.
        regions: in place of those for all.
    """

    part: Part
    name: str = ""
    model: ModelSpec | None = None
    processors: tuple[Part, ...] = ()
    sinks: tuple[Part, ...] = ()
    regions: RegionSpec | None = None

    @classmethod
    def parse(cls, text: str) -> SourceSpec:
        """From the command line: a source, or `NAME=` and a source. A file whose name has a `=` is a file."""
        named = _NAMED.match(text)
        if named is None or Path(text).exists():
            return cls(part=Part.source(text))
        return cls(part=Part.source(named[2]), name=named[1])

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "name": self.name,
            "source": without_password(self.part.text),
            "model": self.model.path if self.model else None,
            "runtime_options": self.model.options_to_dict() if self.model else {},
            "processors": [part.text for part in self.processors],
            "sinks": [part.text for part in self.sinks],
            **(asdict(self.regions) if self.regions else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A session, or several, in words. `processors`, `sinks` and `regions` are for each of the sources.

    Attributes:
        model: for the sources that have none of their own; its options without a path are for all models.
        models: paths of the command line: one for all of the sources, or one for each in their order.
        file: where they are from, empty for the command line.
    """

    sources: tuple[SourceSpec, ...] = ()
    model: ModelSpec = field(default_factory=ModelSpec)
    models: tuple[str, ...] = ()
    processors: tuple[Part, ...] = ()
    sinks: tuple[Part, ...] = ()
    regions: RegionSpec = field(default_factory=RegionSpec)
    max_frames: int | None = None
    seconds: float | None = None
    deadline: float | None = None
    stale_after: float | None = None
    out: Path = Path()
    overwrite: bool = False
    file: str = ""

    def with_more(self, more: RunSpec) -> RunSpec:
        """These words with those of the command line: processors and sinks come after the file's, others replace it.

        Raises UsageError where it is not clear which of several sources is replaced.
        """
        nothing = RunSpec()
        changed: dict[str, Any] = {
            name: getattr(more, name) for name in _REPLACED if getattr(more, name) != getattr(nothing, name)
        }
        return replace(
            self,
            **changed,
            sources=tuple(_own_with_more(source, more) for source in self._sources_with(more.sources)),
            model=_model_with_more(self.model, more.model),
            regions=self.regions.with_more(more.regions),
            processors=self.processors + more.processors,
            sinks=self.sinks + more.sinks,
        )

    def _sources_with(self, given: tuple[SourceSpec, ...]) -> tuple[SourceSpec, ...]:
        if not self.sources or not given:
            return given or self.sources
        if len(self.sources) == 1:
            (one,) = self.sources
            name = one.name if len(given) == 1 else ""
            return tuple(replace(one, part=source.part, name=source.name or name) for source in given)
        names = [source.name for source in self.sources]
        for source in given:
            if not source.name or source.name not in names:
                known = ", ".join(filter(None, names)) or "none with a name"
                text = source.part.text
                raise UsageError(
                    f"--source {text}: {self.file} has several sources ({known}), say which one this replaces: "
                    f"--source {next(filter(None, names), 'NAME')}={text}"
                )
        parts = {source.name: source.part for source in given}
        return tuple(replace(source, part=parts.get(source.name, source.part)) for source in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "file": self.file,
            "sources": [source.to_dict() for source in self.sources],
            "model": list(self.models) or self.model.path,
            "runtime_options": self.model.options_to_dict(),
            "detection": self.model.detection.changed_options(),
            "processors": [part.text for part in self.processors],
            "sinks": [part.text for part in self.sinks],
            **asdict(self.regions),
            "max_frames": self.max_frames,
            "seconds": self.seconds,
            "deadline": self.deadline,
            "stale_after": self.stale_after,
        }


def without_password(text: str) -> str:
    """What stands between `//` and `@` of a URL is in no record and no name of a file."""
    return re.sub(r"//[^/@]*@", "//", text)


def _own_with_more(source: SourceSpec, more: RunSpec) -> SourceSpec:
    """Options of the command line are for all models and regions, also for those that one source has for itself."""
    return replace(
        source,
        model=_model_with_more(source.model, more.model) if source.model is not None else None,
        regions=source.regions.with_more(more.regions) if source.regions is not None else None,
    )


def _model_with_more(model: ModelSpec, more: ModelSpec) -> ModelSpec:
    nothing = ModelSpec()
    names = ("runtime", "device", "precision", "profile", "detector")
    changed: dict[str, Any] = {
        name: getattr(more, name) for name in names if getattr(more, name) != getattr(nothing, name)
    }
    options = {option.name: option for option in (*model.runtime_options, *more.runtime_options)}
    return replace(
        model,
        **changed,
        runtime_options=tuple(options.values()),
        detection=replace(model.detection, **more.detection.changed_options()),
    )


@contextmanager
def located(where: str, lines: Mapping[str, str] | None = None) -> Iterator[None]:
    """Put the place in the file before the message of an error; what is wrong in a file is its configuration."""
    try:
        yield
    except OptionError as error:
        if not where:
            raise
        raise ConfigurationError(f"{(lines or {}).get(error.option, where)}: {error}") from error
    except UsageError as error:
        if not where:
            raise
        raise ConfigurationError(f"{where}: {error}") from error
    except ConfigurationError:
        raise
    except DLCLiveError as error:
        if not where:
            raise
        raise type(error)(f"{where}: {error}") from error
