"""A benchmark as text: a table for the terminal, and a Markdown page with all columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dlclive_core.benchmark.accuracy import FLIP_PX
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.cli.measure.benchmark_json import backbone, statistics
from dlclive_core.cli.output import print_table, stdout
from dlclive_core.export.parity import CONFIDENT

NOTHING = "-"
_FEW = 1000
_NARROW = (
    "candidate",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "frames/s",
    "overhead",
    "of peak",
    "error px: p50",
    "p95",
    "max",
    "flips",
    "MB",
    "result",
)
_WIDE = (
    "runtime",
    "device",
    "precision",
    "network input",
    "result",
    "FPS",
    "mean ± SD [ms]",
    "with first call [ms]",
    "first call [ms]",
    "p50 [ms]",
    "p95 [ms]",
    "p99 [ms]",
    "max [ms]",
    "overhead",
    "of peak",
    "error p50 / p95 / p99 / max [px]",
    "flips",
    "model [MB]",
)
_REPLAY = ("candidate", "frames", "dropped", "late p50 ms", "late p99 ms", "late max ms")


def print_benchmark(benchmark: Benchmark) -> None:
    """Print the table on standard output, with explanations below it."""
    print_table(
        f"{benchmark.card.net_type}, {_clip_summary(benchmark)}", _NARROW, [_narrow(row) for row in benchmark.rows]
    )
    for row in benchmark.rows:
        if row.verdict.why:
            stdout().print(f"{row.measurement.candidate.label}: {row.verdict.label}", markup=False)
    if replay := _replay_rows(benchmark):
        print_table(f"Replay at {benchmark.rate:g} frames/s", _REPLAY, replay)
    for line in _explanations(benchmark):
        stdout().print(line, markup=False)


def markdown(benchmark: Benchmark) -> str:
    """A Markdown page with everything except the individual times."""
    system = benchmark.machine
    gpus = system.get("gpus")
    names = ", ".join(str(gpu.get("name")) for gpu in gpus) if isinstance(gpus, list) and gpus else "none"
    card, source = benchmark.card, benchmark.source
    lines = [
        f"# {source.name}: benchmark",
        "",
        *_table(
            ("", ""),
            [
                (
                    "CPU",
                    f"{system.get('processor')}, {system.get('cores_used')} cores used, {system.get('memory_gb')} GB",
                ),
                ("GPU", names),
                ("system", f"{system.get('platform')}, Python {system.get('python')}"),
                (
                    "load",
                    f"{_numbers(system.get('load'))} before, {_numbers(benchmark.load_after)} after (1, 5, 15 minutes)",
                ),
                ("model", f"{card.net_type}, {card.method}, {len(card.skeleton)} keypoints, {card.format}"),
                ("backbone", backbone(card.net_type)),
                ("model file", f"{source.name}, {source.stat().st_size / 1e6:.1f} MB, sha256 {benchmark.sha256[:16]}"),
                ("video", _clip_summary(benchmark)),
                ("packages", _packages(system.get("packages"))),
            ],
        ),
        "",
        *_table(_WIDE, [_wide(row) for row in benchmark.rows]),
        "",
        *_replay_page(benchmark),
        *(f"{line}\n" for line in _explanations(benchmark)),
        "![plot of latency and error](benchmark.svg)",
    ]
    return "\n".join(lines) + "\n"


def _replay_page(benchmark: Benchmark) -> list[str]:
    replay = _replay_rows(benchmark)
    return [f"Replay at {benchmark.rate:g} frames/s:", "", *_table(_REPLAY, replay), ""] if replay else []


def format_number(value: float) -> str:
    """About three digits; "-" for an unknown value, "not found" for an infinite error."""
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else "not found"
    places = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{places}f}"


def _narrow(row: Row) -> tuple[str, ...]:
    measurement, error = row.measurement, row.accuracy
    known = error is not None and error.keypoints > 0
    pixels = (error.median_px, error.p95_px, error.max_px) if error is not None else (math.nan,) * 3
    return (
        measurement.candidate.label,
        *(format_number(1000 * value) for value in (measurement.p50, measurement.p95, measurement.p99)),
        format_number(measurement.fps),
        _times(measurement.overhead),
        _percent(row.share_of_peak),
        *(format_number(value) for value in pixels),
        str(error.flips) if error is not None and known else NOTHING,
        format_number(row.bytes / 1e6) if row.bytes else NOTHING,
        row.verdict.state,
    )


def _wide(row: Row) -> tuple[str, ...]:
    measurement, error = row.measurement, row.accuracy
    numbers = statistics(measurement)
    candidate = measurement.candidate
    network_input = (
        NOTHING if measurement.input_size is None else f"{measurement.input_size[0]} x {measurement.input_size[1]}"
    )
    if candidate.follow is not None:
        network_input = candidate.label.removeprefix(candidate.setting).strip() + f", {measurement.searched} lost"
    return (
        candidate.runtime,
        measurement.device or candidate.device,
        candidate.precision,
        network_input,
        row.verdict.label,
        format_number(measurement.fps),
        f"{format_number(numbers['mean_ms'])} ± {format_number(numbers['sd_ms'])}",
        f"{format_number(numbers['mean_with_first_ms'])} ± {format_number(numbers['sd_with_first_ms'])}",
        format_number(1000 * measurement.first),
        *(format_number(numbers[name]) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")),
        NOTHING
        if math.isnan(measurement.overhead)
        else f"{_times(measurement.overhead)}, {1000 * measurement.overhead_seconds:+.2f} ms",
        _percent(row.share_of_peak),
        NOTHING
        if error is None or not error.keypoints
        else " / ".join(format_number(value) for value in (error.median_px, error.p95_px, error.p99_px, error.max_px)),
        NOTHING if error is None or not error.keypoints else f"{error.flips} of {error.keypoints}",
        format_number(row.bytes / 1e6) if row.bytes else NOTHING,
    )


def _replay_rows(benchmark: Benchmark) -> list[tuple[str, ...]]:
    """The rows on replayed frames: counts and lateness of each candidate; empty without a replay."""
    rows = []
    for measurement in (row.measurement for row in benchmark.rows if len(row.measurement.lateness)):
        lateness = (format_number(1000 * float(value)) for value in np.percentile(measurement.lateness, (50, 99, 100)))
        rows.append(
            (
                measurement.candidate.label,
                str(len(measurement.lateness) + measurement.dropped),
                str(measurement.dropped),
                *lateness,
            )
        )
    return rows


def _explanations(benchmark: Benchmark) -> list[str]:
    """The explanations below the table."""
    calls = max((len(row.measurement.times) for row in benchmark.rows), default=0)
    confident = max((row.accuracy.keypoints for row in benchmark.rows if row.accuracy is not None), default=0)
    lines = [
        f"Times: from a frame in memory to a pose in frame pixels, {calls} calls per candidate, interleaved, without "
        "warm-up. frames/s: the reciprocal of the mean."
    ]
    if calls < _FEW:
        lines[0] += (
            f" The 99th percentile of {calls} calls rests on {math.ceil(calls / 100)} of them: increase --rounds to measure it."
        )
    for row in benchmark.rows:
        if row.measurement.candidate.follow is not None and len(row.measurement.times):
            searched = f"{row.measurement.searched} of {len(benchmark.clip.frames) - 1} frames after the first"
            lines.append(
                f"{row.measurement.candidate.label}: lost the animal and searched the whole frame in {searched}."
            )
    if any(len(row.measurement.lateness) for row in benchmark.rows):
        lines.append(
            "Late: time from when a frame was due to its pose. Dropped: replaced by a newer frame before it was processed."
        )
    lines.append("Overhead: the median time relative to the runtime's own call on the same array.")
    for device, peak in benchmark.peaks.items():
        if peak.flops:
            lines.append(f"Peak of {device}: {peak.flops.get('fp32', math.nan) / 1e9:.0f} GFLOP/s in fp32, {peak.how}.")
    if confident:
        lines.append(
            f"Error: distance from {benchmark.reference} on the same frames, over its {confident} keypoints with a confidence "
            f"of {CONFIDENT} or more. Flips: more than {FLIP_PX:g} px away."
        )
    else:
        lines.append(f"Error: not measured. Reference: {benchmark.reference}.")
    return [*lines, *(f"Note: {note}" for note in benchmark.notes)]


def _clip_summary(benchmark: Benchmark) -> str:
    clip = benchmark.clip
    width, height = clip.size
    long = "" if clip.seconds is None else f", {clip.seconds:.1f} s"
    rate = "" if clip.fps is None else f", {clip.fps:g} frames/s"
    of = "" if clip.frame_count is None else f" of {clip.frame_count}"
    times = "" if benchmark.rounds == 1 else f", {benchmark.rounds} times"
    return f"{clip.name}: {width} x {height}{rate}{long}, first {len(clip.frames)}{of} frames{times}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _times(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2f} x"


def _percent(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{100 * value:.0f} %"


def _numbers(values: object) -> str:
    return ", ".join(str(value) for value in values) if isinstance(values, (list, tuple)) else "unknown"


def _packages(packages: object) -> str:
    return (
        ", ".join(f"{name} {version}" for name, version in packages.items())
        if isinstance(packages, dict)
        else "unknown"
    )
