"""The command `dlclive distill` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import Device, Json, Overwrite, check_not_nan
from dlclive_core.cli.metavars import App

distilling = App(rich_markup_mode=None)


@distilling.command()
def distill(
    model: Annotated[str, typer.Argument(help="The teacher: .pt file, training folder or DeepLabCut project.")],
    videos: Annotated[list[Path], typer.Argument(help="Videos of the rig for which the network is meant.")],
    out: Annotated[Path, typer.Argument(help="File to write, .onnx. Its working folder is OUT.distill.")],
    minutes: Annotated[
        float, typer.Option(callback=check_not_nan, help="How long to train, without preparation and judging.")
    ] = 30.0,
    max_error: Annotated[
        float,
        typer.Option(
            callback=check_not_nan,
            help="Largest accepted distance to the teacher (95th percentile, pixels) on frames held out.",
        ),
    ] = 2.0,
    seed: Annotated[int, typer.Option(help="Random seed of the choice of frames and of the training.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Steps of the training. Default: as --minutes allows.")] = None,
    student: Annotated[str | None, typer.Option(metavar="NAME", help="The small network. Default: chosen.")] = None,
    animals: Annotated[
        int | None, typer.Option(metavar="N", help="Animals that it finds. Default: as many as MODEL.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(help="DeepLabCut project whose labelled frames also judge it. Default: the one around MODEL."),
    ] = None,
    training_frames: Annotated[int, typer.Option(help="Frames to learn from.")] = 1500,
    device: Device = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads of the training. Default: all.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Train a small network that does a large one's job on your own videos.

    Chooses frames, lets MODEL label them, trains, and judges the result in pixels on frames that it has not seen. Writes
    nothing if it exceeds the bound. The same command continues what was stopped.
    """
    from dlclive_core.cli.distill import run_distill
    from dlclive_core.distillation import DistillPlan

    plan = DistillPlan(
        model=Path(model),
        videos=tuple(videos),
        out=out,
        minutes=minutes,
        max_error=max_error,
        seed=seed,
        steps=steps,
        student=student,
        animals=animals,
        project=project,
        training_frames=training_frames,
        device=device,
        threads=threads,
        overwrite=overwrite,
    )
    raise typer.Exit(run_distill(plan, json=json))
