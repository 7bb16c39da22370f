"""The commands of `dlclive` and their options. Each command imports its implementation only when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import (
    BatchSize,
    Conditions,
    Json,
    ModelOptions,
    ModelPath,
    Overwrite,
    Processors,
    RegionOptions,
    Runtime,
    RuntimeOptions,
    check_not_nan,
    parse_batch,
)
from dlclive_core.cli.distill_command import distilling
from dlclive_core.cli.live.commands import live
from dlclive_core.cli.metavars import App
from dlclive_core.cli.option_groups import spread
from dlclive_core.cli.replay.command import replaying
from dlclive_core.cli.table_commands import tables
from dlclive_core.data.precision import PRECISIONS

_PRECISIONS = f"{', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}"

app = App(
    name="dlclive",
    help="Real-time pose estimation of animals with DeepLabCut models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plugins = App(help="List, check and describe the installed plugins.", no_args_is_help=True)
app.add_typer(plugins, name="plugins")
app.add_typer(live)
app.add_typer(replaying)
app.add_typer(tables)
app.add_typer(distilling)


def _print_version(requested: bool) -> None:
    if requested:
        from dlclive_core import __version__

        typer.echo(f"dlclive-core {__version__}")
        raise typer.Exit


@app.callback()
def dlclive(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Real-time pose estimation of animals with DeepLabCut models."""


@app.command()
@spread
def analyze(
    model: ModelPath,
    videos: Annotated[list[Path], typer.Argument(help="Videos, folders of images, or single images.")],
    out: Annotated[Path, typer.Option(help="Output folder; created if missing.")] = Path(),
    *,
    loading: ModelOptions,
    regions: RegionOptions,
    processor: Processors = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(help="Additional sink, for example video:out.mp4, a path relative to --out; repeatable."),
    ] = None,
    source_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Option of the videos' source, for example colours=opencv; repeatable."
        ),
    ] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop each video after this many frames.")] = None,
    batch: BatchSize = "auto",
    save_video: Annotated[
        bool, typer.Option("--save-video", help="Also write a video with keypoints drawn on the frames.")
    ] = False,
    pcutoff: Annotated[
        float, typer.Option(min=0, max=1, callback=check_not_nan, help="Lowest confidence of keypoints to draw.")
    ] = 0.5,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Estimate poses in videos and write DeepLabCut tables.

    Writes .h5 and .csv tables, a table of timestamps, and run.json.
    """
    from dlclive_core.cli.analyze import AnalyzeOptions, run_analyze

    raise typer.Exit(
        run_analyze(
            AnalyzeOptions(
                model=model,
                videos=tuple(videos),
                out=out,
                loading=loading,
                regions=regions,
                processors=tuple(processor or ()),
                sinks=tuple(sink or ()),
                source_options=tuple(source_option or ()),
                max_frames=max_frames,
                batch=parse_batch(batch),
                save_video=save_video,
                pcutoff=pcutoff,
                overwrite=overwrite,
                json=json,
            )
        )
    )


@app.command()
def export(
    model: ModelPath,
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Output file; its suffix selects the format. With --for: the folder.")
    ],
    program: Annotated[
        str, typer.Option("--for", metavar="NAME", help="Write a folder for another program: bonsai or sleap-nn.")
    ] = "",
    precision: Annotated[str, typer.Option(help=f"{_PRECISIONS}, if the format supports it.")] = "fp32",
    size: Annotated[str | None, typer.Option(help="Fix the input size to WIDTHxHEIGHT. Default: any size.")] = None,
    video: Annotated[
        Path | None,
        typer.Option(help="Video or images for verification and int8 calibration. Default: a rendered mouse."),
    ] = None,
    max_error: Annotated[
        float | None, typer.Option(callback=check_not_nan, help="Largest accepted keypoint difference, in pixels.")
    ] = None,
    exporter_option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Exporter option, for example frozen_norms=true; repeatable."),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Export a model to another format and verify the result.

    Runs both models on the same frames. Writes nothing if their keypoints differ by more than the bound.
    """
    from dlclive_core.cli.export import run_export

    run_export(
        model,
        target,
        precision,
        size,
        video,
        max_error,
        exporter_option or (),
        program=program,
        overwrite=overwrite,
        json=json,
    )


@app.command()
def benchmark(
    model: ModelPath,
    video: Annotated[
        Path | None, typer.Argument(help="Video or images of the animal. Default: a rendered mouse.")
    ] = None,
    synthetic: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT of the rendered video. Default: 640x480.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="torch, onnx:fp32, openvino:bf16:cpu, ...; repeatable. Default: all available."),
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help=f"{_PRECISIONS}; repeatable. Default: all available.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ... Default: all available.")] = None,
    resize: Annotated[
        list[float] | None,
        typer.Option(callback=check_not_nan, help="Scale the network's input by this factor; repeatable."),
    ] = None,
    size: Annotated[list[str] | None, typer.Option(help="WIDTHxHEIGHT of the network's input; repeatable.")] = None,
    window: Annotated[
        list[str] | None, typer.Option(help="WIDTHxHEIGHT of a window that follows the animal; repeatable.")
    ] = None,
    max_frames: Annotated[int, typer.Option(min=1, help="Frames to use, from the start of the video.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="Passes over the frames; candidates are interleaved.")] = 2,
    warmup: Annotated[int, typer.Option(min=0, help="Untimed warm-up calls after the first call.")] = 3,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            callback=check_not_nan,
            help="Also replay the frames once at this rate (frames/s) and count late and dropped frames.",
        ),
    ] = None,
    runtime_option: RuntimeOptions = None,
    reference: Annotated[
        Path | None, typer.Option(help="The fp32 model to measure errors against, if MODEL is not fp32.")
    ] = None,
    conditions: Conditions = None,
    out: Annotated[Path | None, typer.Option(help="Folder for benchmark.md, benchmark.json and benchmark.svg.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Measure the speed and error of a model on this machine.

    Measures every available combination of runtime, precision and device. Errors are pixel distances from the fp32 model.
    """
    from dlclive_core.cli.measure.benchmark import BenchmarkOptions, run_benchmark

    raise typer.Exit(
        run_benchmark(
            BenchmarkOptions(
                model=model,
                video=video,
                synthetic=synthetic,
                runtimes=tuple(runtime or ()),
                precisions=tuple(precision or ()),
                device=device,
                resizes=tuple(resize or ()),
                sizes=tuple(size or ()),
                windows=tuple(window or ()),
                frames=max_frames,
                rounds=rounds,
                warmup=warmup,
                rate=rate,
                runtime_options=tuple(runtime_option or ()),
                reference=reference,
                conditions=conditions,
                out=out,
                overwrite=overwrite,
                json=json,
            )
        )
    )


@app.command()
def tune(
    model: ModelPath,
    video: Annotated[Path, typer.Argument(help="Video or images of your animal, as the camera records it.")],
    max_error: Annotated[
        float | None,
        typer.Option(
            callback=check_not_nan,
            help="Largest accepted error in pixels: the 95th percentile over keypoints, against the fp32 model on whole "
            "frames. Default: 0.5.",
        ),
    ] = None,
    goal: Annotated[str, typer.Option(help="p50 or p99: the latency percentile to minimise.")] = "p50",
    seconds: Annotated[
        float,
        typer.Option(
            callback=check_not_nan, help="Approximate duration of the search, in seconds, besides --distill-minutes."
        ),
    ] = 120,
    max_frames: Annotated[
        int, typer.Option(min=20, help="Frames to measure on, from the start; int8 is calibrated on later frames.")
    ] = 200,
    distill: Annotated[
        bool,
        typer.Option(
            "--distill",
            help="Also train a small network on the video, as `dlclive distill` does, and compare it with all else on frames "
            "that it has not seen. MODEL must be a .pt.",
        ),
    ] = False,
    distill_minutes: Annotated[
        float | None,
        typer.Option(callback=check_not_nan, help="How long --distill trains, besides --seconds. Default: 30."),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Find the fastest settings for a model within an error bound.

    Tries runtimes, precisions, input sizes and crops that follow the animal, with --distill also a small network trained for
    this rig, and saves the fastest as a profile beside the model. load_model, analyze and run then use the profile.
    """
    from dlclive_core.cli.measure.tune import TuneOptions, parse_goal, run_tune

    run_tune(
        TuneOptions(
            model=model,
            video=video,
            max_error=max_error,
            goal=parse_goal(goal),
            seconds=seconds,
            frames=max_frames,
            distill=distill,
            distill_minutes=distill_minutes,
            overwrite=overwrite,
            json=json,
        )
    )


@app.command()
def info(
    model: ModelPath,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Show a model's network, keypoints, input size and runtime."""
    from dlclive_core.cli.info import run_info

    run_info(model, runtime, json=json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Output folder; created if missing.")] = Path("demo"),
    max_frames: Annotated[int, typer.Option(min=10, help="Frames in the video.")] = 300,
    seed: Annotated[int, typer.Option(min=0, max=99_999, help="Random seed of the mouse and its arena.")] = 7,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the video.")] = "320x240",
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Track a rendered mouse and compare it with the ground truth.

    Needs no download: the model is included.
    """
    from dlclive_core.cli.demo import run_demo

    run_demo(out, max_frames, seed, size, overwrite=overwrite, json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Check this machine and installation, offline.

    Exits with code 3 if something is broken.
    """
    from dlclive_core.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(json=json))


@plugins.command("list")
def plugins_list(json: Json = False) -> None:
    """List the installed plugins and their status."""
    from dlclive_core.cli.plugins import run_list

    run_list(json=json)


@plugins.command("check")
def plugins_check(
    name: Annotated[str | None, typer.Argument(help="Name of the plugin. Default: all.")] = None, json: Json = False
) -> None:
    """Import every component of a plugin.

    Exits with code 3 if a component cannot be imported.
    """
    from dlclive_core.cli.plugins import run_check

    raise typer.Exit(run_check(name, json=json))


@plugins.command("show")
def plugins_show(name: Annotated[str, typer.Argument(help="Name of the plugin.")], json: Json = False) -> None:
    """Show a plugin's components and their options."""
    from dlclive_core.cli.plugins import run_show

    run_show(name, json=json)
