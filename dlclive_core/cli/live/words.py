"""What a live session is made of, in words: given on the command line, in a file, or both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlclive_core.errors import ConfigurationError, DLCLiveError, UsageError
from dlclive_core.finding import Finding
from dlclive_core.specs import ComponentSpec, OptionError

_REPLACED = (
    *("source", "cropping", "dynamic", "resize", "max_frames", "seconds", "deadline", "stale_after"),
    *("out", "overwrite"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One component.

    Attributes:
        text: as it was given, for messages.
        spec: the component's name and options; None for a source that is a path.
        where: "rig.yaml:7", or empty for the command line.
        lines: where each of its options is.
    """

    text: str
    spec: ComponentSpec | None
    where: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWords:
    """The model, and how it is loaded; the same options as those of `dlclive analyze`."""

    path: str | None = None
    runtime: str | None = None
    device: str = "auto"
    precision: str = "auto"
    detector: Path | None = None
    finding: Finding = field(default_factory=Finding)
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWords:
    """A session in words. `file` is where they are from, empty for the command line."""

    source: Part | None = None
    model: ModelWords = field(default_factory=ModelWords)
    processors: tuple[Part, ...] = ()
    sinks: tuple[Part, ...] = ()
    cropping: tuple[int, int, int, int] | None = None
    dynamic: tuple[float, float] | None = None
    resize: float | None = None
    max_frames: int | None = None
    seconds: float | None = None
    deadline: float | None = None
    stale_after: float | None = None
    out: Path = Path()
    overwrite: bool = False
    file: str = ""

    def with_more(self, more: RunWords) -> RunWords:
        """These words with those of the command line: processors and sinks come after the file's, others replace it."""
        nothing = RunWords()
        changed: dict[str, Any] = {
            name: getattr(more, name) for name in _REPLACED if getattr(more, name) != getattr(nothing, name)
        }
        return replace(
            self,
            **changed,
            model=_model_with_more(self.model, more.model),
            processors=self.processors + more.processors,
            sinks=self.sinks + more.sinks,
        )

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "file": self.file,
            "source": self.source.text if self.source else None,
            "model": self.model.path,
            "finding": self.model.finding.given(),
            "processors": [part.text for part in self.processors],
            "sinks": [part.text for part in self.sinks],
            "cropping": self.cropping,
            "dynamic": self.dynamic,
            "resize": self.resize,
            "max_frames": self.max_frames,
            "seconds": self.seconds,
            "deadline": self.deadline,
            "stale_after": self.stale_after,
        }


def _model_with_more(model: ModelWords, more: ModelWords) -> ModelWords:
    nothing = ModelWords()
    names = ("path", "runtime", "device", "precision", "detector")
    changed: dict[str, Any] = {
        name: getattr(more, name) for name in names if getattr(more, name) != getattr(nothing, name)
    }
    if more.path is not None:
        changed["where"] = ""
    return replace(model, **changed, finding=replace(model.finding, **more.finding.given()))


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
