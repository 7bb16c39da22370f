"""Run a whole benchmark: list candidates, export, measure, compare, judge."""

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
from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.load import load, machine_state
from dlclive_core.machine.system import sha256
from dlclive_core.models.load import load_model, model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.model_formats import model_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and how.

    Attributes:
        model: anything that `load_model` takes.
        clip: the frames.
        requests: of the user; see `parse_runtime_requests`.
        views: what the network sees of the frames.
        rounds, warmup, rate: see `measure`.
        reference: the model in fp32, where `model` is not; None: `model` itself.
        calibration: gives frames to calibrate int8 on; None: there are none.
        options: of `load_model`, for all candidates.
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


def run_plan(
    plan: Plan,
    *,
    catalog: PluginCatalog,
    tell: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[MeasurementProgress], None] | None = None,
) -> Benchmark:
    """Measure a model as planned, in one run of all candidates; files that have to be exported are temporary.

    Args:
        tell: is told, in one line, what takes a while besides the measurement.
        on_progress: see `measure`.

    Raises:
        UsageError, ModelError, PluginError: before anything is measured. Later, candidates fail one by one.
    """
    source = locate_model(plan.model, model_suffixes(catalog))
    with load_model(source, profile=None, catalog=catalog, **plan.options) as model:
        card = model.card
    judge_by = _reference_candidate(plan, source, card, catalog)
    before = machine_state()
    frames = [as_rgb(frame) for frame in plan.clip.frames]
    with tempfile.TemporaryDirectory(prefix="dlclive-benchmark-") as name:
        exports = Exports(source, Path(name), frames, plan.calibration, catalog, tell)
        choice = list_candidates(
            source, card, plan.requests, plan.views, plan.clip.size, exports, catalog, dict(plan.options)
        )
        devices = dict.fromkeys(candidate.device for candidate in choice.candidates)
        tell("measuring the peak performance of this machine")
        peaks = {device: measure_peak(device, catalog) for device in devices}
        measured = measure(
            choice.candidates,
            plan.clip.frames,
            rounds=plan.rounds,
            warmup=plan.warmup,
            raw_call=True,
            rate=plan.rate,
            on_progress=on_progress,
            catalog=catalog,
        )
        peaks = {device: measure_peak(device, catalog).at_least(peak) for device, peak in peaks.items()}
        poses: tuple[Pose, ...] = ()
        reference = NONE.format(name=source.name, precision=card.precision)
        if judge_by is not None:
            poses, reference = reference_poses(judge_by, measured, plan.clip, catalog, on_progress)
        operations = count_operations(measured, catalog)
        sizes = {candidate.path: model_bytes(candidate.path, catalog) for candidate in choice.candidates}
    rows = [_row(one, measured, poses, operations, peaks, sizes) for one in (*measured, *choice.failed)]
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
        conditions=before,
        load_after=load(),
        notes=_notes(plan, choice, poses, rows),
    )


def model_bytes(path: Path, catalog: PluginCatalog) -> int:
    """Size of a model's file, and of those that belong to it."""
    return sum(file.stat().st_size for file in model_files(path, catalog))


def _reference_candidate(plan: Plan, source: Path, card: ModelCard, catalog: PluginCatalog) -> Candidate | None:
    """What errors are measured against; None where the model is not in fp32 and its source was not given."""
    if plan.reference is None and card.precision != "fp32":
        return None
    path = source if plan.reference is None else locate_model(plan.reference, model_suffixes(catalog))
    return reference_candidate(path, dict(plan.options), catalog)


def _row(
    one: Measurement,
    all_of_them: Sequence[Measurement],
    poses: Sequence[Pose],
    operations: Mapping[tuple[int, int], float],
    peaks: Mapping[str, Peak],
    sizes: Mapping[Path, int],
) -> Row:
    follows = one.candidate.follow is not None  # its pictures differ
    counted = float("nan") if follows or one.seen is None else operations.get(one.seen, float("nan"))
    peak = peaks.get(one.candidate.device, Peak())
    most = peak.flops.get(one.candidate.precision, float("nan"))
    return Row(
        measurement=one,
        accuracy=compare_poses(poses, one.poses) if poses and one.poses else None,
        operations=counted,
        share=counted / one.p50 / most,
        verdict=verdict_on(one, all_of_them, counted, peak),
        bytes=sizes.get(one.candidate.path, 0),
    )


def _notes(plan: Plan, choice: CandidateList, poses: Sequence[Pose], rows: Sequence[Row]) -> tuple[str, ...]:
    notes = [plan.clip.note] if plan.clip.note else []
    notes += choice.notes
    if poses and not any(row.accuracy is not None and row.accuracy.keypoints for row in rows):
        notes.append(
            "the model finds no confident keypoint in these frames, so no error was measured: give a clip that shows the animal"
        )
    busy, cores = load(), usable_cores()
    if busy is not None and busy[0] > cores + 1:  # one of them is this run
        notes.append(
            f"other programs were running (load {busy[0]:g} on {cores} cores): the times are those of a busy machine; "
            "trust ratios between candidates more than absolute times"
        )
    return tuple(notes)
