"""The spec of a live run: from the command line, a session file, or both."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.views_spec import ViewsSpec
from dlclive_core.cli.specs import ModelSpec, PartSpec, RegionSpec
from dlclive_core.errors import UsageError

_REPLACED = ("models", "max_frames", "seconds", "deadline", "stale_after", "out", "overwrite", "replay")
_NAMED_SOURCE = re.compile(r"([A-Za-z][\w-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One source, and the settings that apply to it alone.

    Attributes:
        name: chosen by the user; if empty, derived from the source's spec.
        model: None for the common model.
        processors, sinks: run after the common ones.
        regions: replace the common regions.
    """

    part: PartSpec
    name: str = ""
    model: ModelSpec | None = None
    processors: tuple[PartSpec, ...] = ()
    sinks: tuple[PartSpec, ...] = ()
    regions: RegionSpec | None = None

    @classmethod
    def parse(cls, text: str) -> SourceSpec:
        """Read `SOURCE` or `NAME=SOURCE`. An existing file whose name contains `=` is a file."""
        match = _NAMED_SOURCE.match(text)
        if match is None or Path(text).exists():
            return cls(part=PartSpec.source(text))
        return cls(part=PartSpec.source(match[2]), name=match[1])

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "name": self.name,
            "source": without_password(self.part.text),
            "model": self.model.path if self.model else None,
            "runtime_options": self.model.options_to_dict() if self.model else {},
            **(self.model.fallback_to_dict() if self.model else {}),
            "processors": [part.text for part in self.processors],
            "sinks": [part.text for part in self.sinks],
            **(asdict(self.regions) if self.regions else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One or more sessions. `processors`, `sinks` and `regions` apply to every source.

    Attributes:
        model: for sources without their own; options without a path apply to all models.
        views: the calibration, and what is done with poses in space.
        models: paths from the command line: one for all sources, or one per source, in order.
        replay: whether a session with processors gets a replay record.
        file: the session file; empty for the command line.
    """

    sources: tuple[SourceSpec, ...] = ()
    model: ModelSpec = field(default_factory=ModelSpec)
    models: tuple[str, ...] = ()
    processors: tuple[PartSpec, ...] = ()
    sinks: tuple[PartSpec, ...] = ()
    regions: RegionSpec = field(default_factory=RegionSpec)
    views: ViewsSpec = field(default_factory=ViewsSpec)
    max_frames: int | None = None
    seconds: float | None = None
    deadline: float | None = None
    stale_after: float | None = None
    out: Path = Path()
    overwrite: bool = False
    replay: bool = True
    file: str = ""

    def with_more(self, more: RunSpec) -> RunSpec:
        """Merge with the command line: its processors and sinks are appended, other settings override.

        Raises UsageError if it is unclear which of several sources to replace.
        """
        default = RunSpec()
        changed: dict[str, Any] = {
            name: getattr(more, name) for name in _REPLACED if getattr(more, name) != getattr(default, name)
        }
        return replace(
            self,
            **changed,
            sources=tuple(_own_with_more(source, more) for source in self._sources_with(more.sources)),
            model=_model_with_more(self.model, more.model),
            regions=self.regions.with_more(more.regions),
            processors=self.processors + more.processors,
            sinks=self.sinks + more.sinks,
            views=self.views.with_more(more.views),
        )

    def _sources_with(self, replacements: tuple[SourceSpec, ...]) -> tuple[SourceSpec, ...]:
        if not self.sources or not replacements:
            return replacements or self.sources
        if len(self.sources) == 1:
            (original,) = self.sources
            name = original.name if len(replacements) == 1 else ""
            return tuple(replace(original, part=source.part, name=source.name or name) for source in replacements)
        names = [source.name for source in self.sources]
        for source in replacements:
            if not source.name or source.name not in names:
                known = ", ".join(filter(None, names)) or "none has a name"
                text = source.part.text
                raise UsageError(
                    f"--source {text}: {self.file} has several sources ({known}); name the one to replace: "
                    f"--source {next(filter(None, names), 'NAME')}={text}"
                )
        parts = {source.name: source.part for source in replacements}
        return tuple(replace(source, part=parts.get(source.name, source.part)) for source in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "file": self.file,
            "sources": [source.to_dict() for source in self.sources],
            "model": list(self.models) or self.model.path,
            "runtime_options": self.model.options_to_dict(),
            "detection": self.model.detection.changed_options(),
            **self.model.fallback_to_dict(),
            "processors": [part.text for part in self.processors],
            "sinks": [part.text for part in self.sinks],
            **asdict(self.regions),
            **self.views.to_dict(),
            "max_frames": self.max_frames,
            "seconds": self.seconds,
            "deadline": self.deadline,
            "stale_after": self.stale_after,
        }


def without_password(text: str) -> str:
    """Remove the user and password from a URL, to keep them out of records and file names."""
    return re.sub(r"//[^/@]*@", "//", text)


def _own_with_more(source: SourceSpec, more: RunSpec) -> SourceSpec:
    """Apply the command line's options to a source's own model and regions."""
    return replace(
        source,
        model=_model_with_more(source.model, more.model) if source.model is not None else None,
        regions=source.regions.with_more(more.regions) if source.regions is not None else None,
    )


def _model_with_more(model: ModelSpec, more: ModelSpec) -> ModelSpec:
    default = ModelSpec()
    names = ("runtime", "device", "precision", "profile", "detector", "fallback", "fallback_limit")
    changed: dict[str, Any] = {
        name: getattr(more, name) for name in names if getattr(more, name) != getattr(default, name)
    }
    options = {option.name: option for option in (*model.runtime_options, *more.runtime_options)}
    return replace(
        model,
        **changed,
        runtime_options=tuple(options.values()),
        detection=replace(model.detection, **more.detection.changed_options()),
    )
