"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Runtime = Annotated[str | None, typer.Option(help="torch, onnx, ...; by default the best that reads the model.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="auto, fp32, fp16, ...")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that are there already.")]

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
FollowOne = Annotated[bool, typer.Option("--follow", help="Top-down: follow one animal, without a detector.")]
Conditions = Annotated[
    Path | None, typer.Option(help="Conditional: the bottom-up model that finds animals first and again.")
]
Processors = Annotated[
    list[str] | None, typer.Option(help="A processor, for example kalman:horizon=0.02; may be given again.")
]
