"""A benchmark for people: a table that fits a terminal, and one of all columns, in Markdown."""

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
    "network sees",
    "result",
    "FPS",
    "mean ± SD [ms]",
    "with the first [ms]",
    "first [ms]",
    "p50 [ms]",
    "p95 [ms]",
    "p99 [ms]",
    "max [ms]",
    "over the raw call",
    "of the peak",
    "error p50 / p95 / p99 / max [px]",
    "flips",
    "model [MB]",
)
_ARRIVALS = ("candidate", "frames", "dropped", "late p50 ms", "late p99 ms", "late max ms")


def print_benchmark(benchmark: Benchmark) -> None:
    """The table on standard output, with what has to be known to read it below."""
    print_table(
        f"{benchmark.card.net_type}, {_clip_words(benchmark)}", _NARROW, [_narrow(row) for row in benchmark.rows]
    )
    for row in benchmark.rows:
        if row.verdict.why:
            stdout().print(f"{row.measurement.candidate.label}: {row.verdict.label}", markup=False)
    if arrivals := _arrivals(benchmark):
        print_table(f"The same frames, {benchmark.rate:g} frames/s", _ARRIVALS, arrivals)
    for line in _reading(benchmark):
        stdout().print(line, markup=False)


def markdown(benchmark: Benchmark) -> str:
    """A page with everything but the single times."""
    system = benchmark.conditions
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
                ("video", _clip_words(benchmark)),
                ("packages", _packages(system.get("packages"))),
            ],
        ),
        "",
        *_table(_WIDE, [_wide(row) for row in benchmark.rows]),
        "",
        *_arrivals_page(benchmark),
        *(f"{line}\n" for line in _reading(benchmark)),
        "![the same as a picture](benchmark.svg)",
    ]
    return "\n".join(lines) + "\n"


def _arrivals_page(benchmark: Benchmark) -> list[str]:
    arrivals = _arrivals(benchmark)
    return [f"The same frames, {benchmark.rate:g} frames/s:", "", *_table(_ARRIVALS, arrivals), ""] if arrivals else []


def format_number(value: float) -> str:
    """About three digits; "-" for an unknown value, "not found" for an infinite error."""
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else "not found"
    places = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{places}f}"


def _narrow(row: Row) -> tuple[str, ...]:
    one, error = row.measurement, row.accuracy
    known = error is not None and error.keypoints > 0
    pixels = (error.median_px, error.p95_px, error.max_px) if error is not None else (math.nan,) * 3
    return (
        one.candidate.label,
        *(format_number(1000 * value) for value in (one.p50, one.p95, one.p99)),
        format_number(one.fps),
        _times(one.overhead),
        _percent(row.share),
        *(format_number(value) for value in pixels),
        str(error.flips) if error is not None and known else NOTHING,
        format_number(row.bytes / 1e6) if row.bytes else NOTHING,
        row.verdict.state,
    )


def _wide(row: Row) -> tuple[str, ...]:
    one, error = row.measurement, row.accuracy
    numbers = statistics(one)
    how = one.candidate
    seen = NOTHING if one.seen is None else f"{one.seen[0]} x {one.seen[1]}"
    if how.follow is not None:
        seen = how.label.removeprefix(how.setting).strip() + f", {one.searched} lost"
    return (
        how.runtime,
        one.device or how.device,
        how.precision,
        seen,
        row.verdict.label,
        format_number(one.fps),
        f"{format_number(numbers['mean_ms'])} ± {format_number(numbers['sd_ms'])}",
        f"{format_number(numbers['mean_with_first_ms'])} ± {format_number(numbers['sd_with_first_ms'])}",
        format_number(1000 * one.first),
        *(format_number(numbers[name]) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")),
        NOTHING if math.isnan(one.overhead) else f"{_times(one.overhead)}, {1000 * one.overhead_seconds:+.2f} ms",
        _percent(row.share),
        NOTHING
        if error is None or not error.keypoints
        else " / ".join(format_number(value) for value in (error.median_px, error.p95_px, error.p99_px, error.max_px)),
        NOTHING if error is None or not error.keypoints else f"{error.flips} of {error.keypoints}",
        format_number(row.bytes / 1e6) if row.bytes else NOTHING,
    )


def _arrivals(benchmark: Benchmark) -> list[tuple[str, ...]]:
    """For each candidate, what became of frames that came as a camera gives them; nothing where they did not."""
    rows = []
    for one in (row.measurement for row in benchmark.rows if len(row.measurement.late)):
        late = (format_number(1000 * float(value)) for value in np.percentile(one.late, (50, 99, 100)))
        rows.append((one.candidate.label, str(len(one.late) + one.dropped), str(one.dropped), *late))
    return rows


def _reading(benchmark: Benchmark) -> list[str]:
    """What has to be known to read the table."""
    calls = max((len(row.measurement.times) for row in benchmark.rows), default=0)
    sure = max((row.accuracy.keypoints for row in benchmark.rows if row.accuracy is not None), default=0)
    lines = [
        f"Times: from a frame in memory to a pose in pixels of the frame, {calls} calls of each candidate, interleaved, "
        "without the warm-up. frames/s: one over the mean."
    ]
    if calls < _FEW:
        lines[0] += (
            f" The 99th percentile of {calls} calls rests on {math.ceil(calls / 100)}: use more --rounds for tails."
        )
    for row in benchmark.rows:
        if row.measurement.candidate.follow is not None and len(row.measurement.times):
            searched = f"{row.measurement.searched} of {len(benchmark.clip.frames) - 1} frames after the first"
            lines.append(
                f"{row.measurement.candidate.label}: the animal was lost, and the whole frame searched, in {searched}."
            )
    if any(len(row.measurement.late) for row in benchmark.rows):
        lines.append(
            "Late: from the moment a frame was due to its pose. Dropped: replaced by a newer frame before it was processed."
        )
    lines.append("Overhead: the median divided by that of the runtime's own call on the same array.")
    for device, peak in benchmark.peaks.items():
        if peak.flops:
            lines.append(f"Peak of {device}: {peak.flops.get('fp32', math.nan) / 1e9:.0f} GFLOP/s in fp32, {peak.how}.")
    if sure:
        lines.append(
            f"Error: against {benchmark.reference}, on the same frames, over {sure} keypoints that it finds with a confidence "
            f"of {CONFIDENT} or more; flips are more than {FLIP_PX:g} px away."
        )
    else:
        lines.append(f"Error: not measured. Reference: {benchmark.reference}.")
    return [*lines, *(f"Note: {note}" for note in benchmark.notes)]


def _clip_words(benchmark: Benchmark) -> str:
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
