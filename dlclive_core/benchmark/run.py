"""Runs a complete benchmark: lists candidates, exports files, measures, compares and evaluates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.accuracy import compare_poses
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.candidate_list import CandidateList, ViewSpec, list_candidates
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.interleaved import MeasurementProgress, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.operations import count_operations
from dlclive_core.benchmark.peak import Peak, measure_peak
from dlclive_core.benchmark.reference import NONE, reference_candidate, reference_poses
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.benchmark.runtime_request import RuntimeRequest
from dlclive_core.benchmark.verdict import verdict_on
from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import as_rgb
from dlclive_core.data.pose import Pose
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.machine.load import busy_note, load, machine_state
from dlclive_core.machine.system import sha256
from dlclive_core.models.load import load_model, model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.model_formats import model_files
from dlclive_core.text.counted import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkPlan:
    """What to measure, and how.

    Attributes:
        model: anything that `load_model` takes.
        clip: the frames.
        requests: the user's requests; see `parse_runtime_requests`.
        views: the network's views of the frames.
        rounds, warmup, rate: see `measure`.
        reference: the fp32 model if `model` is not in fp32; None for `model` itself.
        calibration: returns frames to calibrate int8 on; None if there are none.
        options: options of `load_model` for all candidates.
    """

    model: str | Path
    clip: Clip
    requests: Sequence[RuntimeRequest]
    views: Sequence[ViewSpec] = (ViewSpec(),)
    rounds: int = 1
    warmup: int = 3
    rate: float | None = None
    reference: str | Path | None = None
    calibration: Callable[[], Sequence[NDArray[np.uint8]]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def run_benchmark_plan(
    plan: BenchmarkPlan,
    *,
    catalog: PluginCatalog,
    report_step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[MeasurementProgress], None] | None = None,
) -> Benchmark:
    """Run a benchmark, with all candidates interleaved; exported files are temporary.

    Args:
        report_step: receives a line before each slow step other than the measurement.
        on_progress: see `measure`.

    Raises:
        UsageError, ModelError, PluginError: before the measurement. Later failures are recorded per candidate.
    """
    source = locate_model(plan.model, model_suffixes(catalog))
    with load_model(source, profile=None, catalog=catalog, **plan.options) as model:
        card = model.card
    fp32_candidate = _reference_candidate(plan, source, card, catalog)
    before = machine_state()
    frames = [as_rgb(frame) for frame in plan.clip.frames]
    with tempfile.TemporaryDirectory(prefix="dlclive-benchmark-") as name:
        exports = Exports(source, Path(name), frames, plan.calibration, catalog, report_step)
        candidate_list = list_candidates(
            source, card, plan.requests, plan.views, plan.clip.size, exports, catalog, dict(plan.options)
        )
        devices = dict.fromkeys(candidate.device for candidate in candidate_list.candidates)
        report_step("measuring the peak performance of this machine")
        peaks = {device: measure_peak(device, catalog) for device in devices}
        count, frame_count = len(candidate_list.candidates), len(plan.clip.frames)
        what = f"{counted(count, 'candidate')} on {counted(frame_count, 'frame')}, {counted(plan.rounds, 'round')}"
        report_step(f"loading {what}")
        measurements = measure(
            candidate_list.candidates,
            plan.clip.frames,
            rounds=plan.rounds,
            warmup=plan.warmup,
            raw_call=True,
            rate=plan.rate,
            on_progress=on_progress,
            on_estimate=lambda seconds: report_step(f"measuring {what}: about {format_duration(seconds)}"),
            catalog=catalog,
        )
        peaks = {device: measure_peak(device, catalog).at_least(peak) for device, peak in peaks.items()}
        poses: tuple[Pose, ...] = ()
        reference = NONE.format(name=source.name, precision=card.precision)
        if fp32_candidate is not None:
            poses, reference = reference_poses(fp32_candidate, measurements, plan.clip, catalog, on_progress)
        operations = count_operations(measurements, catalog)
        file_sizes = {candidate.path: model_bytes(candidate.path, catalog) for candidate in candidate_list.candidates}
    rows = [
        _row(measurement, measurements, poses, operations, peaks, file_sizes)
        for measurement in (*measurements, *candidate_list.failed)
    ]
    return Benchmark(
        source=source,
        sha256=sha256(source),
        card=card,
        clip=plan.clip,
        rounds=plan.rounds,
        rate=plan.rate,
        rows=tuple(rows),
        reference=reference,
        peaks=peaks,
        machine=before,
        load_after=load(),
        notes=_notes(plan, candidate_list, poses, rows),
    )


def format_duration(seconds: float) -> str:
    """For example "3 s", "12 min" or "2.5 h"."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def model_bytes(path: Path, catalog: PluginCatalog) -> int:
    """Total size of a model's file and the files that belong to it."""
    return sum(file.stat().st_size for file in model_files(path, catalog))


def _reference_candidate(
    plan: BenchmarkPlan, source: Path, card: ModelCard, catalog: PluginCatalog
) -> Candidate | None:
    """The reference for errors; None if the model is not in fp32 and no reference was passed."""
    if plan.reference is None and card.precision != "fp32":
        return None
    path = source if plan.reference is None else locate_model(plan.reference, model_suffixes(catalog))
    return reference_candidate(path, dict(plan.options), catalog)


def _row(
    measurement: Measurement,
    measurements: Sequence[Measurement],
    poses: Sequence[Pose],
    operations: Mapping[tuple[int, int], float],
    peaks: Mapping[str, Peak],
    file_sizes: Mapping[Path, int],
) -> Row:
    follows = measurement.candidate.follow is not None  # inputs vary in size
    counted = (
        float("nan")
        if follows or measurement.input_size is None
        else operations.get(measurement.input_size, float("nan"))
    )
    peak = peaks.get(measurement.candidate.device, Peak())
    most = peak.flops.get(measurement.candidate.precision, float("nan"))
    return Row(
        measurement=measurement,
        accuracy=compare_poses(poses, measurement.poses) if poses and measurement.poses else None,
        operations=counted,
        share_of_peak=counted / measurement.p50 / most,
        verdict=verdict_on(measurement, measurements, counted, peak),
        bytes=file_sizes.get(measurement.candidate.path, 0),
    )


def _notes(
    plan: BenchmarkPlan, candidate_list: CandidateList, poses: Sequence[Pose], rows: Sequence[Row]
) -> tuple[str, ...]:
    notes = [plan.clip.note] if plan.clip.note else []
    notes += candidate_list.notes
    if poses and not any(row.accuracy is not None and row.accuracy.keypoints for row in rows):
        notes.append(
            "no error was measured: the model finds no confident keypoint in these frames; pass a clip that shows the animal"
        )
    if busy := busy_note():
        notes.append(f"{busy}: trust ratios between candidates more than absolute times")
    return tuple(notes)
