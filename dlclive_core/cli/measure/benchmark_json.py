"""A benchmark as JSON: everything, with each single time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dlclive_core.benchmark.measurement import Measurement, Seconds
from dlclive_core.benchmark.result import Benchmark, Row

FORMAT = 2
"""Of the JSON; another number where a name changes its meaning."""


def benchmark_json(benchmark: Benchmark) -> dict[str, object]:
    """JSON's types only. What is not known is null; an infinite error (a keypoint that was not found) is "inf"."""
    clip = benchmark.clip
    width, height = clip.size
    found = {
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
        "system": benchmark.conditions,
        "load_after": benchmark.load_after,
        "notes": list(benchmark.notes),
        "rows": [row_json(row, benchmark) for row in benchmark.rows],
    }
    return {name: _plain(value) for name, value in found.items()}


def row_json(row: Row, benchmark: Benchmark) -> dict[str, object]:
    """One row. Times are milliseconds."""
    one, how = row.measurement, row.measurement.candidate
    exported = how.path != benchmark.source
    return {
        "label": how.label,
        "runtime": how.runtime,
        "precision": how.precision,
        "device": one.device or how.device,
        "resize": how.resize,
        "size": how.size,
        "follow": None if how.follow is None else asdict(how.follow),
        "options": {name: str(value) for name, value in how.options.items()},
        "file": f"{how.path.name} ({'exported for this' if exported else 'as given'})",
        "bytes": row.bytes or None,
        "seen": one.seen,
        "verdict": row.verdict.state,
        "why": row.verdict.why,
        "calls": len(one.times),
        "load_ms": 1000 * one.load,
        "first_ms": 1000 * one.first,
        **statistics(one),
        "overhead": one.overhead,
        "overhead_ms": 1000 * one.overhead_seconds,
        "operations": row.operations,
        "share_of_peak": row.share,
        "searched": one.searched,
        "dropped": one.dropped,
        "error": None if row.accuracy is None else asdict(row.accuracy),
        "times_ms": _milliseconds(one.times),
        "bare_ms": _milliseconds(one.raw_call),
        "late_ms": _milliseconds(one.late),
    }


def statistics(one: Measurement) -> dict[str, float]:
    """Of the times, in milliseconds, and frames per second."""
    both = one.with_first
    return {
        "fps": one.fps,
        "mean_ms": 1000 * one.mean,
        "sd_ms": 1000 * one.sd,
        "mean_with_first_ms": 1000 * float(both.mean()) if len(both) else float("nan"),
        "sd_with_first_ms": 1000 * float(both.std()) if len(both) else float("nan"),
        "p50_ms": 1000 * one.p50,
        "p95_ms": 1000 * one.p95,
        "p99_ms": 1000 * one.p99,
        "max_ms": 1000 * one.max,
    }


def backbone(net_type: str) -> str:
    """The backbone in a network's name: "top_down_hrnet_w32" is "hrnet_w32", "dekr_w18" is "hrnet_w18"."""
    name = net_type.removeprefix("top_down_")
    for start, stands_for in (("dekr_", "hrnet_"), ("rtmpose_", "cspnext_"), ("ctd_prenet_rtmpose_", "cspnext_")):
        if name.startswith(start):
            return stands_for + name.removeprefix(start)
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
