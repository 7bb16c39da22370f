"""The commands for live sessions, with their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import Json, ModelOptions, Overwrite, Processors, RegionOptions, runtime_words
from dlclive_core.cli.option_groups import spread

live = typer.Typer(rich_markup_mode=None)

File = Annotated[Path | None, typer.Argument(metavar="FILE", help="A session in YAML, with the same spec.")]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        help="camera:0, basler:serial=24060123, mouse, a video, ...: `dlclive devices` lists cameras. May be given again, "
        "with names: left=camera:0."
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        help="Model file, training folder, export folder or project; for several sources one for all, or one for each."
    ),
]
Sinks = Annotated[list[str] | None, typer.Option(help="A sink, for example tables:mouse.h5; may be given again.")]
Display = Annotated[bool, typer.Option("--display", help="Show frames and keypoints in a window: --sink display.")]
Web = Annotated[bool, typer.Option("--web", help="Show them on a page in the browser: --sink web.")]
MaxFrames = Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")]
Seconds = Annotated[float | None, typer.Option(min=0.001, help="Stop a live source after this time.")]
Deadline = Annotated[
    float | None,
    typer.Option(min=0.001, help="Seconds that the model or a processor may take, else it counts as hanging."),
]
StaleAfter = Annotated[
    float | None, typer.Option(min=0.001, help="Seconds without a frame until the session counts as stale.")
]
Out = Annotated[Path, typer.Option(help="Folder for run.json and the outputs; made if it is not there.")]


@live.command()
@spread
def run(
    file: File = None,
    source: Sources = None,
    model: Models = None,
    processor: Processors = None,
    sink: Sinks = None,
    display: Display = False,
    web: Web = False,
    out: Out = Path(),
    *,
    loading: ModelOptions,
    regions: RegionOptions,
    max_frames: MaxFrames = None,
    seconds: Seconds = None,
    deadline: Deadline = None,
    stale_after: StaleAfter = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Run a live session: a source, a model, processors and sinks, until Ctrl-C or a limit.

    With a FILE, options replace what it says, and processors and sinks are added. Paths in sinks and processors lie in --out.
    Several sources have processors and sinks each, and the source's name in the names of the files: out_left.h5.
    """
    from dlclive_core.cli.live.run import run_live
    from dlclive_core.cli.live.run_spec import ModelSpec, OptionSpec, Part, RegionSpec, RunSpec, SourceSpec

    shown = [*(["display"] if display else []), *(["web"] if web else [])]
    spec = RunSpec(
        sources=tuple(SourceSpec.parse(text) for text in source or ()),
        models=tuple(model or ()),
        model=ModelSpec(
            runtime=loading.runtime,
            device=loading.device,
            precision=loading.precision,
            profile=loading.profile,
            runtime_options=tuple(OptionSpec(*pair) for pair in runtime_words(loading.runtime_option).items()),
            detector=loading.detector,
            detection=loading.detection,
        ),
        processors=tuple(Part.parse(text) for text in processor or ()),
        sinks=tuple(Part.parse(text) for text in [*(sink or ()), *shown]),
        regions=RegionSpec(**regions.numbers()),
        max_frames=max_frames,
        seconds=seconds,
        deadline=deadline,
        stale_after=stale_after,
        out=out,
        overwrite=overwrite,
    )
    if file is not None:
        from dlclive_core.cli.live.session_file import read_session_file

        spec = read_session_file(file).with_more(spec)
    raise typer.Exit(run_live(spec, json=json))


@live.command()
def check(
    file: Annotated[Path, typer.Argument(help="A session in YAML.")],
    json: Json = False,
) -> None:
    """Say what `dlclive run FILE` would run, without opening anything; exits with 2 or 3 if it could not."""
    from dlclive_core.cli.live.check import run_check
    from dlclive_core.cli.live.session_file import read_session_file

    run_check(read_session_file(file), json=json)


@live.command()
def devices(json: Json = False) -> None:
    """List the connected cameras, each with what to write after --source."""
    from dlclive_core.cli.live.devices import run_devices

    run_devices(json=json)


@live.command()
def recover(
    folder: Annotated[Path, typer.Argument(help="The folder that the run wrote to.")],
    json: Json = False,
) -> None:
    """Finish the files that a killed run left: nothing is replaced, and run.json says what was recovered."""
    from dlclive_core.cli.live.recover import run_recover

    raise typer.Exit(run_recover(folder, json=json))
