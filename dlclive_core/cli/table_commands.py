"""The commands that take the tables and frames of finished runs further, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import Json, Overwrite, check_not_nan
from dlclive_core.cli.metavars import App

tables = App(rich_markup_mode=None)


@tables.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Table of any installed format; folder of a run, or its run.json.")],
    target: Annotated[
        str, typer.Argument(help="Output file; its suffix selects the format. Or name:file,option=value.")
    ],
    to: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Format, if the suffix of TARGET does not tell.")
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="Table of timestamps. Default: that of the run, or the one beside the table."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(callback=check_not_nan, help="Frames per second, for a table without times.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model with the same keypoints, for the edges of its skeleton.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only this source of a run with several.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Convert finished poses to the format of another program.

    Recognises SOURCE by its content. Adds times, skeleton and source of the run that has written it.
    """
    from dlclive_core.cli.convert import run_convert

    run_convert(source, target, to=to, times=times, fps=fps, model=model, name=name, overwrite=overwrite, json=json)


@tables.command()
def outliers(
    folder: Annotated[Path, typer.Argument(help="Folder of the sink 'outliers', or of a run that has one.")],
    project: Annotated[Path, typer.Option(help="Folder of the DeepLabCut project, or its config.yaml.")],
    video: Annotated[
        str | None,
        typer.Option(
            help="Name of the folder in labeled-data, or path of the recorded video. Default: the name of the source."
        ),
    ] = None,
    add_video: Annotated[
        bool, typer.Option("--add-video", help="Also list the video in config.yaml, which is backed up.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be added.")] = False,
    json: Json = False,
) -> None:
    """Put the frames that a run has kept into a DeepLabCut project, with machine labels.

    Never replaces a picture or a label. Exits with code 5 if a frame is damaged.
    """
    from dlclive_core.cli.outliers import run_outliers

    raise typer.Exit(run_outliers(folder, project, video=video, add_video=add_video, dry_run=dry_run, json=json))
