"""The command `dlclive replay` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import Json, Overwrite
from dlclive_core.cli.metavars import App

replaying = App(rich_markup_mode=None)


@replaying.command()
def replay(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or its run.json.")],
    processor: Annotated[
        list[str] | None,
        typer.Option(help="Processor in place of the recorded ones, for example kalman:horizon=0.02; repeatable."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only this source of a run with several.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="Compute the poses again from this video, instead of reading them.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="With --video: the model. Default: the model of the run.")] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="With --video: table of timestamps. Default: the one beside the video, or of the run."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the events, replay.svg and replay.json. Default: nothing is written."),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Send a recorded run through processors again, at the recorded times.

    Without --processor, the recorded processors run again, and their events are compared with the recorded ones: exit code 5
    if they differ. With --processor, shows what would have fired with other settings. Drives no output.
    """
    from dlclive_core.cli.replay.replay import ReplayOptions, run_replay

    raise typer.Exit(
        run_replay(
            ReplayOptions(
                run=run,
                processors=tuple(processor or ()),
                name=name,
                video=video,
                model=model,
                times=times,
                out=out,
                overwrite=overwrite,
                json=json,
            )
        )
    )
