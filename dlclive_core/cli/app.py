"""The commands of `dlclive`, with their options. What they do is in the other files, imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlclive_core.cli.arguments import (
    Batching,
    Conditions,
    Json,
    ModelOptions,
    Overwrite,
    Processors,
    RegionOptions,
    Runtime,
    RuntimeOptions,
    batch_from,
)
from dlclive_core.cli.live.commands import live
from dlclive_core.cli.option_groups import spread

app = typer.Typer(
    name="dlclive",
    help="Real-time poses of animals with DeepLabCut models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plugins = typer.Typer(help="What is installed, and whether it works.", no_args_is_help=True)
app.add_typer(plugins, name="plugins")
app.add_typer(live)


def _version(wanted: bool) -> None:
    if wanted:
        from dlclive_core import __version__

        typer.echo(f"dlclive-core {__version__}")
        raise typer.Exit


@app.callback()
def dlclive(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Real-time poses of animals with DeepLabCut models."""


@app.command()
@spread
def analyze(
    model: Annotated[str, typer.Argument(help="Model file, training folder, export folder or project.")],
    videos: Annotated[list[Path], typer.Argument(help="Videos, folders of images, or single images.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs; made if it is not there.")] = Path(),
    *,
    loading: ModelOptions,
    regions: RegionOptions,
    processor: Processors = None,
    sink: Annotated[
        list[str] | None, typer.Option(help="A further sink, for example video:out.mp4; may be given again.")
    ] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames of each video.")] = None,
    batch: Batching = "auto",
    save_video: Annotated[
        bool, typer.Option("--save-video", help="Write a video with the keypoints drawn in.")
    ] = False,
    pcutoff: Annotated[float, typer.Option(min=0, max=1, help="Least confidence drawn in that video.")] = 0.6,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Find the poses in videos: DeepLabCut's tables (.h5, .csv), the time of each frame, and run.json."""
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
                max_frames=max_frames,
                batch=batch_from(batch),
                save_video=save_video,
                pcutoff=pcutoff,
                overwrite=overwrite,
                json=json,
            )
        )
    )


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Model file, training folder, export folder or project.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write; its suffix says the format.")],
    precision: Annotated[str, typer.Option(help="fp32, fp16, bf16 or int8, as far as the format has it.")] = "fp32",
    size: Annotated[
        str | None, typer.Option(help="Fix the input to WIDTHxHEIGHT; by default any size is taken.")
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(
            help="Video or images to compare on, and for int8 to calibrate on; by default rendered pictures of a mouse."
        ),
    ] = None,
    max_error: Annotated[float | None, typer.Option(help="Pixels that the export may differ by.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the exporter, for example frozen_norms=true; may be given again.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Export a model to another format, and compare both in pixels; if they differ, nothing is written."""
    from dlclive_core.cli.export import run_export

    run_export(model, target, precision, size, frames, max_error, set_ or (), overwrite=overwrite, json=json)


@app.command()
def benchmark(
    model: Annotated[str, typer.Argument(help="Model file, training folder, export folder or project.")],
    video: Annotated[
        Path | None, typer.Argument(help="Video or images of the animal; by default a rendered mouse.")
    ] = None,
    synthetic: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT of the rendered mouse; by default 640x480.")
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="torch, onnx:fp32, openvino:bf16:cpu, ...; may be given again. By default all that can."),
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="fp32, fp16, bf16 or int8; may be given again. By default all that can.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...; by default all that can.")] = None,
    resize: Annotated[
        list[float] | None, typer.Option(help="Factor of the picture that the network sees; may be given again.")
    ] = None,
    size: Annotated[list[str] | None, typer.Option(help="WIDTHxHEIGHT of that picture; may be given again.")] = None,
    follow: Annotated[
        list[str] | None, typer.Option(help="WIDTHxHEIGHT of a window that follows the animal; may be given again.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames to use, the first ones of the video.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How often they are run.")] = 2,
    warmup: Annotated[int, typer.Option(min=0, help="Calls after the first one that are not counted.")] = 3,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Also let the frames come at so many a second, once, and count what is late or dropped."
        ),
    ] = None,
    runtime_option: RuntimeOptions = None,
    reference: Annotated[
        Path | None, typer.Option(help="The model in fp32, to measure errors against, where MODEL is not in fp32.")
    ] = None,
    conditions: Conditions = None,
    out: Annotated[Path | None, typer.Option(help="Folder for benchmark.md, benchmark.json and benchmark.svg.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Measure a model in every way that this machine can run it: times, and pixels from the model in fp32."""
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
                follows=tuple(follow or ()),
                frames=frames,
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
    model: Annotated[str, typer.Argument(help="Model file, training folder, export folder or project.")],
    video: Annotated[Path, typer.Argument(help="Video or images of your animal, as the camera sees it.")],
    max_error: Annotated[
        float,
        typer.Option(help="Pixels that 95 of 100 keypoints may be off, against the model in fp32 on whole frames."),
    ] = 0.5,
    goal: Annotated[str, typer.Option(help="p50 or p99: the time of a frame that is to be small.")] = "p50",
    time: Annotated[float, typer.Option(help="Seconds to take, about.")] = 120,
    frames: Annotated[
        int, typer.Option(min=20, help="Frames to judge on, the first ones; int8 is calibrated on later ones.")
    ] = 200,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Find the fastest way to run a model on this machine within an error, and leave it beside the model as its profile.

    Runtimes, precisions, sizes of the picture and windows that follow the animal are tried. load_model, analyze and run take
    the profile from then on.
    """
    from dlclive_core.cli.measure.tune import TuneOptions, goal_from_words, run_tune

    run_tune(
        TuneOptions(
            model=model,
            video=video,
            max_error=max_error,
            goal=goal_from_words(goal),
            seconds=time,
            frames=frames,
            overwrite=overwrite,
            json=json,
        )
    )


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="Model file, training folder, export folder or project.")],
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Show what a model is: network, keypoints, input, and the runtime that loads it."""
    from dlclive_core.cli.info import run_info

    run_info(model, runtime, json=json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the outputs; made if it is not there.")] = Path("demo"),
    frames: Annotated[int, typer.Option(min=10, help="Length of the clip.")] = 300,
    seed: Annotated[int, typer.Option(min=0, max=99_999, help="Another seed is another mouse in another arena.")] = 7,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the clip.")] = "320x240",
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Render a mouse, find its keypoints, and compare them with the truth: the whole way, with nothing to download."""
    from dlclive_core.cli.demo import run_demo

    run_demo(out, frames, seed, size, overwrite=overwrite, json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Check this machine and installation, offline; exits with 3 if something is broken."""
    from dlclive_core.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(json=json))


@plugins.command("list")
def plugins_list(json: Json = False) -> None:
    """List the installed plugins and the state of each."""
    from dlclive_core.cli.plugins import run_list

    run_list(json=json)


@plugins.command("check")
def plugins_check(
    name: Annotated[str | None, typer.Argument(help="A plugin; by default all of them.")] = None, json: Json = False
) -> None:
    """Import every component of a plugin; exits with 3 if one cannot be."""
    from dlclive_core.cli.plugins import run_check

    raise typer.Exit(run_check(name, json=json))


@plugins.command("show")
def plugins_show(name: Annotated[str, typer.Argument(help="A plugin.")], json: Json = False) -> None:
    """Show what a plugin offers, with the options of each component."""
    from dlclive_core.cli.plugins import run_show

    run_show(name, json=json)
