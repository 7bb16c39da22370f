"""Specs of components, models and regions, as parsed from the command line or a session file. Nothing is built yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dlclive_core.errors import ConfigurationError, DLCLiveError, UsageError, first_of
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.plugins.specs import ComponentSpec


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One component.

    Attributes:
        text: the original text, for messages.
        spec: the component's name and options; None for a source that is a path.
        where: "rig.yaml:7"; empty for the command line.
        lines: the location of each option in the file, by the way to it as in `DLCLiveError.option`.
        mark: inserted before the suffix of its file names, for example `_left` for a sink shared by several sources.
    """

    text: str
    spec: ComponentSpec | None
    where: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

    @classmethod
    def source(cls, text: str, where: str = "") -> PartSpec:
        """Read a source: a component, a path or a URL."""
        try:
            return cls(text, ComponentSpec.parse(text), where)
        except UsageError:  # a path with commas
            return cls(text, None, where)

    @classmethod
    def parse(cls, text: str, where: str = "") -> PartSpec:
        """Read `name:option=value,...`. Raises UsageError, ConfigurationError."""
        with located(where):
            return cls(text, ComponentSpec.parse(text), where)


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """One runtime option; `where` as in PartSpec."""

    name: str
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model and how to load it: the same options for `analyze`, `run` and session files."""

    path: str | None = None
    runtime: str | None = None
    device: str = "auto"
    precision: str = "auto"
    profile: str = "auto"
    runtime_options: tuple[OptionSpec, ...] = ()
    detector: Path | None = None
    detection: DetectionOptions = field(default_factory=DetectionOptions)
    fallback: Path | None = None
    fallback_limit: float = 1.0
    where: str = ""

    def fallback_to_dict(self) -> dict[str, Any]:
        """The fallback and its limit, for run.json; empty without one."""
        return {} if self.fallback is None else {"fallback": str(self.fallback), "fallback_limit": self.fallback_limit}

    def options_to_dict(self) -> dict[str, str]:
        """The runtime's options, for run.json."""
        return {option.name: option.text for option in self.runtime_options}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpec:
    """The part of each frame that the model sees."""

    cropping: tuple[int, int, int, int] | None = None
    dynamic: tuple[float, float] | None = None
    resize: float | None = None

    def with_more(self, more: RegionSpec) -> RegionSpec:
        """A copy in which the values set in `more` take precedence."""
        changed = {name: value for name, value in asdict(more).items() if value is not None}
        return replace(self, **changed)


@contextmanager
def located(where: str, lines: Mapping[str, str] | None = None) -> Iterator[None]:
    """Prefix an error with its location in a session file, and turn usage errors there into ConfigurationError.

    Args:
        where: "rig.yaml:7"; empty for the command line, whose errors pass unchanged.
        lines: the location of each option, for errors that concern one option.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except DLCLiveError as error:
        if not where:
            raise
        raise first_of([_located(each, where, lines or {}) for each in (error, *error.further)]) from error


def _located(error: DLCLiveError, where: str, lines: Mapping[str, str]) -> DLCLiveError:
    kind = ConfigurationError if isinstance(error, UsageError) else type(error)
    return kind(f"{_nearest_line(error.option, lines) or where}: {error}")


def _nearest_line(option: str, lines: Mapping[str, str]) -> str:
    """The location of an option, or of the innermost one around it that is known; empty if none is."""
    while option and option not in lines:
        option = option.rpartition(".")[0]
    return lines.get(option, "")
