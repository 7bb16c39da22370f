"""Options that several commands share, one by one and in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlclive_core.errors import UsageError

if TYPE_CHECKING:
    from dlclive_core.models.detection import DetectionOptions
    from dlclive_core.session.batch_size import Batch

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Runtime = Annotated[str | None, typer.Option(help="torch, onnx, ...; by default the best that reads the model.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="auto, fp32, fp16, ...")]
ProfileChoice = Annotated[
    str,
    typer.Option(
        metavar="auto|none|FILE",
        help="How to run the model, as `dlclive tune` found it out; by default as the profile beside it says, if runtime, "
        "device and precision are not given.",
    ),
]
RuntimeOptions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="A further option of the runtime, for example threads=1; may be given again."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that are there already.")]

Batching = Annotated[
    str,
    typer.Option(metavar="N|auto", help="Frames that go through the model at once; auto: tried out on long videos."),
]

Resizing = Annotated[float | None, typer.Option(help="Factor, for example 0.5.")]
Cropping = Annotated[str | None, typer.Option(help="x1,x2,y1,y2 in pixels.")]
Dynamic = Annotated[str | None, typer.Option(help="threshold,margin of a crop that follows the animal.")]

DetectorFile = Annotated[
    Path | None,
    typer.Option(help="Top-down: file with the detector; by default the one that comes with the model."),
]
DetectEvery = Annotated[
    int, typer.Option(min=1, help="Top-down: ask the detector in every n-th frame, and follow in between.")
]
MinScore = Annotated[float, typer.Option(min=0, max=1, help="Top-down: least score of a box.")]
MaxAnimals = Annotated[
    int | None, typer.Option(min=1, help="Top-down: most animals in a frame; by default those of the project.")
]
FollowOneAnimal = Annotated[bool, typer.Option("--follow", help="Top-down: follow one animal, without a detector.")]
Conditions = Annotated[
    Path | None, typer.Option(help="Conditional: the bottom-up model that finds animals first and again.")
]
Processors = Annotated[
    list[str] | None, typer.Option(help="A processor, for example kalman:horizon=0.02; may be given again.")
]


def batch_from(text: str) -> Batch:
    """What `--batch` says. Raises UsageError."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--batch takes a number of frames from 1 up, or auto; got {text!r}")
    return int(text)


def named_values(texts: Sequence[str], option: str, what: str, example: str) -> dict[str, str]:
    """NAME=VALUE, each: what was given last of a name counts.

    Args:
        option: of the command line, `what` it takes, and an `example`, for the message.

    Raises UsageError.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"{option} takes {what}, NAME=VALUE, for example {example}; got {text!r}")
        values[name.strip()] = value.strip()
    return values


def runtime_words(texts: Sequence[str] | None) -> dict[str, str]:
    """What `--runtime-option` says, still in words. Raises UsageError."""
    return named_values(texts or (), "--runtime-option", "an option of the runtime", "threads=1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How a model is loaded, and how it finds its animals: options of every command that runs one (see `spread`)."""

    runtime: Runtime = None
    device: Device = "auto"
    precision: Precision = "auto"
    profile: ProfileChoice = "auto"
    runtime_option: RuntimeOptions = None
    detector: DetectorFile = None
    detect_every: DetectEvery = 1
    min_score: MinScore = 0.5
    max_animals: MaxAnimals = None
    follow: FollowOneAnimal = False
    conditions: Conditions = None

    @property
    def detection(self) -> DetectionOptions:
        """How animals are found. Raises UsageError."""
        from dlclive_core.models.detection import DetectionOptions, FollowingBox

        return DetectionOptions(
            detect_every=self.detect_every,
            min_score=self.min_score,
            max_animals=self.max_animals,
            follow=FollowingBox() if self.follow else None,
            conditions=self.conditions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions:
    """What the model looks at of each frame."""

    resize: Resizing = None
    cropping: Cropping = None
    dynamic: Dynamic = None

    def numbers(self) -> dict[str, Any]:
        """`cropping`, `dynamic` and `resize` as `regions_from_options` takes them. Raises UsageError."""
        from dlclive_core.cli.region_options import cropping_from_words, dynamic_from_words

        return {
            "cropping": cropping_from_words(self.cropping),
            "dynamic": dynamic_from_words(self.dynamic),
            "resize": self.resize,
        }
