"""Options shared by several commands, as single options and as groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dlclive_core.errors import UsageError

if TYPE_CHECKING:
    from dlclive_core.cli.specs import ModelSpec, RegionSpec
    from dlclive_core.session.batch_size import Batch

Number = TypeVar("Number", float, list[float], None)


def check_not_nan(value: Number) -> Number:
    """Refuse NaN, which passes every bound, as the value of an option."""
    for number in value if isinstance(value, list) else (value,):
        if number is not None and math.isnan(number):
            raise typer.BadParameter("it must be a number")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]
ModelPath = Annotated[str, typer.Argument(help="Model file, training folder, export folder or DeepLabCut project.")]
Runtime = Annotated[
    str | None, typer.Option(help="torch, onnx, ... Default: the preferred installed runtime for the model.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="auto, fp32, fp16, ...")]
ProfileChoice = Annotated[
    str,
    typer.Option(
        metavar="auto|none|FILE",
        help="Profile from `dlclive tune`. auto: the one beside the model, unless --runtime, --device or --precision is set.",
    ),
]
RuntimeOptions = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="Runtime option, for example threads=1; repeatable."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")]

BatchSize = Annotated[
    str,
    typer.Option(metavar="N|auto", help="Frames per model call. auto: find the fastest number on long videos."),
]

ResizeFactor = Annotated[
    float | None, typer.Option(callback=check_not_nan, help="Scale each frame by this factor, for example 0.5.")
]
Cropping = Annotated[str | None, typer.Option(help="Crop each frame to x1,x2,y1,y2 in pixels.")]
Dynamic = Annotated[
    str | None,
    typer.Option(help="Crop that follows the animal: confidence threshold,margin in pixels, for example 0.5,20."),
]

DetectorFile = Annotated[
    Path | None,
    typer.Option(help="Top-down: detector file. Default: the detector beside the model."),
]
DetectEvery = Annotated[
    int, typer.Option(min=1, help="Top-down: run the detector on every n-th frame and track boxes in between.")
]
MinScore = Annotated[
    float, typer.Option(min=0, max=1, callback=check_not_nan, help="Top-down: lowest detection score to accept.")
]
MaxAnimals = Annotated[
    int | None,
    typer.Option(min=1, help="Top-down: maximum number of animals per frame. Default: as many as in the project."),
]
FollowAnimal = Annotated[bool, typer.Option("--follow", help="Top-down: follow a single animal without a detector.")]
Conditions = Annotated[
    Path | None,
    typer.Option(help="Conditional: bottom-up model that finds animals at the start and after losing them."),
]
Fallback = Annotated[
    Path | None,
    typer.Option(
        metavar="TEACHER", help="Student: model that answers the frames unlike its training, for example its teacher."
    ),
]
FallbackLimit = Annotated[
    float,
    typer.Option(
        min=0.001, callback=check_not_nan, help="Student: how unlike its training a frame may be; 1 is its own limit."
    ),
]
Processors = Annotated[list[str] | None, typer.Option(help="Processor, for example kalman:horizon=0.02; repeatable.")]


def parse_batch(text: str) -> Batch:
    """Read `--batch`. Raises UsageError."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--batch takes auto or a number of frames from 1 up; got {text!r}")
    return int(text)


def parse_named_values(texts: Sequence[str], option: str, what: str, example: str) -> dict[str, str]:
    """Read NAME=VALUE pairs; the last value of a name wins. Raises UsageError.

    Args:
        option: the command line option, for the error message, with `what` it takes and an `example`.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"{option} takes {what}, NAME=VALUE, for example {example}; got {text!r}")
        values[name.strip()] = value.strip()
    return values


def parse_runtime_options(texts: Sequence[str] | None) -> dict[str, str]:
    """Read `--runtime-option`; values remain text. Raises UsageError."""
    return parse_named_values(texts or (), "--runtime-option", "a runtime option", "threads=1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Loading and detection options of every command that runs a model (see `spread`)."""

    runtime: Runtime = None
    device: Device = "auto"
    precision: Precision = "auto"
    profile: ProfileChoice = "auto"
    runtime_option: RuntimeOptions = None
    detector: DetectorFile = None
    detect_every: DetectEvery = 1
    min_score: MinScore = 0.5
    max_animals: MaxAnimals = None
    follow: FollowAnimal = False
    conditions: Conditions = None
    fallback: Fallback = None
    fallback_limit: FallbackLimit = 1.0

    def spec(self, path: str | None = None) -> ModelSpec:
        """The spec of the model at `path`. Raises UsageError."""
        from dlclive_core.cli.specs import ModelSpec, OptionSpec
        from dlclive_core.models.detection import DetectionOptions, FollowingBox

        return ModelSpec(
            path=path,
            runtime=self.runtime,
            device=self.device,
            precision=self.precision,
            profile=self.profile,
            runtime_options=tuple(
                OptionSpec(name, text) for name, text in parse_runtime_options(self.runtime_option).items()
            ),
            detector=self.detector,
            detection=DetectionOptions(
                detect_every=self.detect_every,
                min_score=self.min_score,
                max_animals=self.max_animals,
                follow=FollowingBox() if self.follow else None,
                conditions=self.conditions,
            ),
            fallback=self.fallback,
            fallback_limit=self.fallback_limit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions:
    """The part of each frame that the model sees."""

    resize: ResizeFactor = None
    cropping: Cropping = None
    dynamic: Dynamic = None

    def spec(self) -> RegionSpec:
        """The spec of the regions. Raises UsageError."""
        from dlclive_core.cli.region_options import parse_cropping, parse_dynamic
        from dlclive_core.cli.specs import RegionSpec

        return RegionSpec(
            cropping=parse_cropping(self.cropping), dynamic=parse_dynamic(self.dynamic), resize=self.resize
        )
