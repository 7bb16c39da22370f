"""`dlclive benchmark`: measures speed and error of every way to run a model on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.candidate_list import ViewSpec
from dlclive_core.benchmark.clip import Clip, read_clip
from dlclive_core.benchmark.result import Benchmark
from dlclive_core.benchmark.run import BenchmarkPlan, run_benchmark_plan
from dlclive_core.benchmark.runtime_request import RuntimeRequest, parse_runtime_requests
from dlclive_core.cli.argument_order import check_order
from dlclive_core.cli.arguments import parse_runtime_options
from dlclive_core.cli.export import parse_size
from dlclive_core.cli.measure.benchmark_json import benchmark_json
from dlclive_core.cli.measure.benchmark_picture import benchmark_picture
from dlclive_core.cli.measure.benchmark_table import markdown, print_benchmark
from dlclive_core.cli.measure.progress import show_measurement
from dlclive_core.cli.output import complain, print_json, stderr, warn
from dlclive_core.cli.picture_shape import shape_warning
from dlclive_core.cli.runtime_options import share_options
from dlclive_core.demo.source import MouseSource
from dlclive_core.errors import DataError, OutputExistsError, UsageError
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.files import output_folder, write_whole
from dlclive_core.machine.json_text import json_text
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.spread_frames import spread_frames
from dlclive_core.regions import FollowingCropSpec

_SYNTHETIC = "640x480"
_CALIBRATED = 132  # every fourth frame verifies the export, the others calibrate it
_FILES = ("benchmark.md", "benchmark.json", "benchmark.svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """The options of `dlclive benchmark`, not yet parsed."""

    model: str
    video: Path | None
    synthetic: str | None
    runtimes: tuple[str, ...]
    precisions: tuple[str, ...]
    device: str | None
    resizes: tuple[float, ...]
    sizes: tuple[str, ...]
    windows: tuple[str, ...]
    frames: int
    rounds: int
    warmup: int
    rate: float | None
    runtime_options: tuple[str, ...]
    reference: Path | None
    conditions: Path | None
    out: Path | None
    overwrite: bool
    json: bool


def run_benchmark(options: BenchmarkOptions) -> int:
    """Run the benchmark, print it and write its files. Returns the exit code: that of DataError without a usable row."""
    catalog = PluginCatalog.installed()
    check_order("benchmark", options.model, [options.video], catalog)
    requests = _requests(options, catalog)
    views = _views(options)
    if options.out is None:
        return _measure(options, requests, views, catalog)
    with output_folder(options.out), only_writer(options.out / _FILES[0]):
        _check_free(options.out, overwrite=options.overwrite)
        return _measure(options, requests, views, catalog)


def _measure(
    options: BenchmarkOptions, requests: list[RuntimeRequest], views: list[ViewSpec], catalog: PluginCatalog
) -> int:
    clip = _clip(options, catalog)
    for view in views:
        if view.size is not None and (line := shape_warning("--size", view.size, clip.size, "stretches the picture")):
            warn(line)
    plan = BenchmarkPlan(
        model=options.model,
        clip=clip,
        requests=requests,
        views=views,
        rounds=options.rounds,
        warmup=options.warmup,
        rate=options.rate,
        reference=options.reference,
        calibration=_calibration(options, catalog),
        options={} if options.conditions is None else {"conditions": options.conditions},
    )
    with show_measurement() as (report_step, on_progress):
        benchmark = run_benchmark_plan(plan, catalog=catalog, report_step=report_step, on_progress=on_progress)
    results = benchmark_json(benchmark)
    if options.json:
        print_json(results)
    else:
        print_benchmark(benchmark)
    if options.out is not None:
        _write(options.out, benchmark, results, overwrite=options.overwrite)
    if not benchmark.has_usable_rows:
        complain("no candidate could be measured; the table gives the reasons")
        return DataError.exit_code
    return 0


def _requests(options: BenchmarkOptions, catalog: PluginCatalog) -> list[RuntimeRequest]:
    """The runtimes to measure, each with those of the runtime options that it has."""
    requests = parse_runtime_requests(options.runtimes, options.precisions, options.device, catalog)
    texts = parse_runtime_options(options.runtime_options)
    shared = share_options([request.info for request in requests], texts, catalog)
    return [replace(request, options=own) for request, own in zip(requests, shared, strict=True)]


def _views(options: BenchmarkOptions) -> list[ViewSpec]:
    """The requested input views; by default whole frames."""
    views = [ViewSpec(resize=factor) for factor in options.resizes]
    views += [ViewSpec(size=parse_size(text, "--size")) for text in options.sizes]
    for text in options.windows:
        views.append(ViewSpec(follow=FollowingCropSpec(window=parse_size(text, "--window"))))
    return list(dict.fromkeys(views)) or [ViewSpec()]


def _clip(options: BenchmarkOptions, catalog: PluginCatalog) -> Clip:
    if options.video is not None:
        if options.synthetic is not None:
            raise UsageError("pass a video or --synthetic, not both")
        clip = read_clip(source_for(options.video, catalog), options.frames)
        return replace(clip, name=options.video.name)
    size = parse_size(options.synthetic or _SYNTHETIC, "--synthetic")
    clip = read_clip(MouseSource(seed=1, frames=options.frames, size=size), options.frames)
    return replace(clip, name="a rendered mouse")


def _calibration(options: BenchmarkOptions, catalog: PluginCatalog) -> Callable[[], Sequence[NDArray[np.uint8]]] | None:
    video = options.video
    return None if video is None else lambda: spread_frames(source_for(video, catalog), _CALIBRATED)


def _check_free(out: Path, *, overwrite: bool) -> None:
    """Check the output folder before the measurement starts."""
    for name in _FILES:
        if os.path.lexists(out / name) and not overwrite:
            raise OutputExistsError(f"{out / name} already exists; choose another folder, or pass --overwrite")


def _write(out: Path, benchmark: Benchmark, results: dict[str, object], *, overwrite: bool) -> None:
    texts = (markdown(benchmark), json_text(results, indent=1) + "\n", benchmark_picture(benchmark))
    for name, text in zip(_FILES, texts, strict=True):
        write_whole(out / name, text, overwrite=overwrite)
    stderr().print("written: " + ", ".join(str(out / name) for name in _FILES), markup=False)
