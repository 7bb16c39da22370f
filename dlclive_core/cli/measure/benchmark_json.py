"""A benchmark as JSON, including every individual time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dlclive_core.benchmark.measurement import Measurement, Seconds
from dlclive_core.benchmark.result import Benchmark, Row

FORMAT = 2
"""Version of the JSON format; increases when a key changes its meaning."""


def benchmark_json(benchmark: Benchmark) -> dict[str, object]:
    """The benchmark in plain JSON types. Unknown values are null; an infinite error (keypoint not found) is "inf"."""
    clip = benchmark.clip
    width, height = clip.size
    values = {
        "format": FORMAT,
        "model": {
            "file": str(benchmark.source),
            "sha256": benchmark.sha256,
            "bytes": benchmark.source.stat().st_size if benchmark.source.exists() else None,
            "backbone": backbone(benchmark.card.net_type),
            "card": asdict(benchmark.card),
        },
        "clip": {
            "name": clip.name,
            "seconds": clip.seconds,
            "frame_count": clip.frame_count,
            "fps": clip.fps,
            "frames": len(clip.frames),
            "width": width,
            "height": height,
        },
        "rounds": benchmark.rounds,
        "rate": benchmark.rate,
        "reference": benchmark.reference,
        "peaks": {device: asdict(peak) for device, peak in benchmark.peaks.items()},
        "system": benchmark.machine,
        "load_after": benchmark.load_after,
        "notes": list(benchmark.notes),
        "rows": [row_json(row, benchmark) for row in benchmark.rows],
    }
    return {name: _plain(value) for name, value in values.items()}


def row_json(row: Row, benchmark: Benchmark) -> dict[str, object]:
    """One row. Times are in milliseconds."""
    measurement, candidate = row.measurement, row.measurement.candidate
    exported = candidate.path != benchmark.source
    return {
        "label": candidate.label,
        "runtime": candidate.runtime,
        "precision": candidate.precision,
        "device": measurement.device or candidate.device,
        "resize": candidate.resize,
        "size": candidate.size,
        "follow": None if candidate.follow is None else asdict(candidate.follow),
        "options": {name: str(value) for name, value in candidate.options.items()},
        "file": f"{candidate.path.name} ({'exported for this' if exported else 'as given'})",
        "bytes": row.bytes or None,
        "seen": measurement.input_size,
        "verdict": row.verdict.state,
        "why": row.verdict.why,
        "calls": len(measurement.times),
        "load_ms": 1000 * measurement.load,
        "first_ms": 1000 * measurement.first,
        **statistics(measurement),
        "overhead": measurement.overhead,
        "overhead_ms": 1000 * measurement.overhead_seconds,
        "operations": row.operations,
        "share_of_peak": row.share_of_peak,
        "searched": measurement.searched,
        "dropped": measurement.dropped,
        "error": None if row.accuracy is None else asdict(row.accuracy),
        "times_ms": _milliseconds(measurement.times),
        "bare_ms": _milliseconds(measurement.raw_call),
        "late_ms": _milliseconds(measurement.lateness),
    }


def statistics(measurement: Measurement) -> dict[str, float]:
    """Statistics of the times, in milliseconds, and frames per second."""
    with_first = measurement.with_first
    return {
        "fps": measurement.fps,
        "mean_ms": 1000 * measurement.mean,
        "sd_ms": 1000 * measurement.sd,
        "mean_with_first_ms": 1000 * float(with_first.mean()) if len(with_first) else float("nan"),
        "sd_with_first_ms": 1000 * float(with_first.std()) if len(with_first) else float("nan"),
        "p50_ms": 1000 * measurement.p50,
        "p95_ms": 1000 * measurement.p95,
        "p99_ms": 1000 * measurement.p99,
        "max_ms": 1000 * measurement.max,
    }


def backbone(net_type: str) -> str:
    """The backbone of a network type: "hrnet_w32" for "top_down_hrnet_w32", "hrnet_w18" for "dekr_w18"."""
    name = net_type.removeprefix("top_down_")
    for prefix, family in (("dekr_", "hrnet_"), ("rtmpose_", "cspnext_"), ("ctd_prenet_rtmpose_", "cspnext_")):
        if name.startswith(prefix):
            return family + name.removeprefix(prefix)
    return name.removeprefix("ctd_prenet_")


def _milliseconds(times: Seconds) -> list[float]:
    return [round(1000 * float(value), 4) for value in times]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf"
    return value
