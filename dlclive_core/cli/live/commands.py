"""The commands for live sessions and their options."""

from __future__ import annotations

from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Annotated

import typer

from dlclive_core.cli.arguments import Json, ModelOptions, Overwrite, Processors, RegionOptions, check_not_nan
from dlclive_core.cli.metavars import App
from dlclive_core.cli.option_groups import spread

live = App(rich_markup_mode=None)


def _check_seconds(value: float | None) -> float | None:
    """Refuse NaN, and more seconds than a thread can wait for."""
    if value is None:
        return None
    if value > TIMEOUT_MAX:
        raise typer.BadParameter(f"it must be at most {TIMEOUT_MAX:.0f}; omit it for no limit")
    return check_not_nan(value)


File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="Session file in YAML, with the same settings as the options.")
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        help="Source: camera:0, basler:serial=24060123, mouse, a video, ...; `dlclive devices` lists cameras. Repeatable; "
        "name several sources: left=camera:0."
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        help="Model file, training folder, export folder or DeepLabCut project. With several sources: one for all, or one "
        "per source."
    ),
]
Sinks = Annotated[list[str] | None, typer.Option(help="Sink, for example tables:mouse.h5; repeatable.")]
Calibration = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[,OPTION=VALUE,...]",
        help="Calibration of several cameras, for poses in space: .toml of Anipose or Pose2Sim, .yml of OpenCV; with options, "
        "for example calibration.toml,unit=mm,tolerance=0.004. Sources have the names of the cameras.",
    ),
]
Processors3D = Annotated[
    list[str] | None, typer.Option("--processor-3d", help="Processor of the poses in space; repeatable.")
]
Sinks3D = Annotated[
    list[str] | None,
    typer.Option("--sink-3d", help="Sink of the poses in space, for example tables:mouse3d.csv; repeatable."),
]
Display = Annotated[
    bool, typer.Option("--display", help="Show frames and keypoints in a window; same as --sink display.")
]
Web = Annotated[bool, typer.Option("--web", help="Show frames and keypoints in the browser; same as --sink web.")]
MaxFrames = Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")]
Seconds = Annotated[
    float | None,
    typer.Option(min=0.001, callback=_check_seconds, help="Stop a live source after this many seconds."),
]
Deadline = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        callback=check_not_nan,
        help="Seconds until a model or processor that does not return is reported as hanging.",
    ),
]
StaleAfter = Annotated[
    float | None,
    typer.Option(
        min=0.001, callback=check_not_nan, help="Seconds without a frame until the session is reported as stale."
    ),
]
NoReplay = Annotated[
    bool,
    typer.Option(
        "--no-replay", help="Do not record what `dlclive replay` needs; by default a run with processors does."
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for run.json and other outputs; created if missing.")]


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
    calibration: Calibration = None,
    processor_3d: Processors3D = None,
    sink_3d: Sinks3D = None,
    out: Out = Path(),
    *,
    loading: ModelOptions,
    regions: RegionOptions,
    max_frames: MaxFrames = None,
    seconds: Seconds = None,
    deadline: Deadline = None,
    stale_after: StaleAfter = None,
    no_replay: NoReplay = False,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Run a live session: a source, a model, processors and sinks.

    Press Ctrl-C to stop. Options override the session FILE; --processor and --sink add to it. Paths in sinks and processors
    are relative to --out. Each of several sources gets its own processors and sinks, and file names include the name of the
    source: out_left.h5.
    """
    from dlclive_core.cli.live.run import run_live
    from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
    from dlclive_core.cli.live.views_spec import ViewsSpec
    from dlclive_core.cli.specs import PartSpec

    displays = [*(["display"] if display else []), *(["web"] if web else [])]
    spec = RunSpec(
        sources=tuple(SourceSpec.parse(text) for text in source or ()),
        models=tuple(model or ()),
        model=loading.spec(),
        processors=tuple(PartSpec.parse(text) for text in processor or ()),
        sinks=tuple(PartSpec.parse(text) for text in [*(sink or ()), *displays]),
        regions=regions.spec(),
        views=ViewsSpec(
            calibration=None if calibration is None else ViewsSpec.parse_calibration(calibration),
            processors=tuple(PartSpec.parse(text) for text in processor_3d or ()),
            sinks=tuple(PartSpec.parse(text) for text in sink_3d or ()),
        ),
        max_frames=max_frames,
        seconds=seconds,
        deadline=deadline,
        stale_after=stale_after,
        out=out,
        overwrite=overwrite,
        replay=not no_replay,
    )
    if file is not None:
        from dlclive_core.cli.live.session_file import read_session_file

        spec = read_session_file(file).with_more(spec)
    raise typer.Exit(run_live(spec, json=json))


@live.command()
@spread
def latency(
    file: File = None,
    source: Sources = None,
    model: Models = None,
    processor: Processors = None,
    out: Out = Path(),
    *,
    loading: ModelOptions,
    regions: RegionOptions,
    port: Annotated[str | None, typer.Option(help="Port of the device with the LED: /dev/ttyACM0, COM3, ...")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Try it without a device: a rendered source and a simulated LED.")
    ] = False,
    led: Annotated[
        str | None,
        typer.Option(metavar="X,Y,SIZE", help="Square of pixels with the LED. Default: found by blinking it."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How often to switch the LED on.")] = 100,
    channel: Annotated[int, typer.Option(min=0, max=7, help="Channel of the output.")] = 0,
    led_channel: Annotated[int, typer.Option(min=0, max=7, help="Channel of the LED.")] = 1,
    timeout: Annotated[
        float,
        typer.Option(min=0.001, max=4, callback=check_not_nan, help="Seconds after which an LED counts as missed."),
    ] = 1.0,
    delay: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=check_not_nan, help="Wait this many seconds before each answer, as a check."
        ),
    ] = 0.0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Measure the latency of a session from glass to output.

    The device switches an LED in the camera's view on at random moments, and measures by its own clock how long the session
    takes to switch the output on. Writes run.json, a table of the trials and pictures.
    """
    from dlclive_core.cli.live.latency import LatencyOptions, run_latency
    from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
    from dlclive_core.cli.specs import PartSpec

    spec = RunSpec(
        sources=tuple(SourceSpec.parse(text) for text in source or ()),
        models=tuple(model or ()),
        model=loading.spec(),
        processors=tuple(PartSpec.parse(text) for text in processor or ()),
        regions=regions.spec(),
        out=out,
        overwrite=overwrite,
    )
    if file is not None:
        from dlclive_core.cli.live.session_file import read_session_file

        spec = read_session_file(file).with_more(spec)
    options = {
        "led": None if led is None else f"[{led}]",
        "trials": trials,
        "channel": channel,
        "led_channel": led_channel,
        "timeout": timeout,
        "delay": delay,
    }
    raise typer.Exit(run_latency(spec, LatencyOptions(port=port, simulate=simulate, options=options), json=json))


@live.command()
def check(
    file: Annotated[Path, typer.Argument(help="Session file in YAML.")],
    json: Json = False,
) -> None:
    """Check a session file and show what it would run.

    Prints every error that it finds, one per line. Loads the model and looks at recordings; opens no camera, port or output
    file. Exits with code 2, 3, 4 or 5 if the session cannot run.
    """
    from dlclive_core.cli.live.check import run_check

    raise typer.Exit(run_check(file, json=json))


@live.command()
def devices(json: Json = False) -> None:
    """List the connected cameras and their --source values."""
    from dlclive_core.cli.live.devices import run_devices

    run_devices(json=json)


@live.command()
def recover(
    folder: Annotated[Path, typer.Argument(help="Output folder of the run.")],
    json: Json = False,
) -> None:
    """Finish the files of a run that was killed.

    Never replaces existing files. Adds a list of the recovered files to run.json.
    """
    from dlclive_core.cli.live.recover import run_recover

    raise typer.Exit(run_recover(folder, json=json))
