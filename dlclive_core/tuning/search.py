"""The search: all settings on a few frames, fast ones on smaller inputs, then the finalists interleaved on all frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.interleaved import MeasurementProgress, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.reference import reference_candidate
from dlclive_core.data.frame import as_rgb
from dlclive_core.data.pose import Pose
from dlclive_core.errors import DataError, ModelError
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.tuning.candidates import CandidateFactory
from dlclive_core.tuning.plan import Budget, TunePlan
from dlclive_core.tuning.selection import (
    fastest_within,
    latest_trials,
    select_finalists,
    select_winner,
    sort_for_table,
    worth_resizing,
)
from dlclive_core.tuning.trial import Trial, count_confident, trial_of
from dlclive_core.tuning.window_sizes import can_follow, windows

_FIRST_FRAMES = 12  # frames of the first stage
_SCREENING_FRAMES = (16, 60)  # minimum and maximum frames of the second stage
_FINAL_FRAMES = 40  # minimum frames of the last stage
_MAX_ROUNDS = 5
_TOGETHER = 8  # maximum number of candidates in memory at once while screening
_MIN_CONFIDENT = 20  # minimum number of confident keypoints of the reference

Measure = Callable[..., list[Measurement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search.

    Attributes:
        winner: the winning trial.
        table: all trials, the winner first.
        reference: label of the reference for errors.
        confident: number of confident keypoints that the reference finds in the evaluated frames.
        notes: notes for the user.
    """

    winner: Trial
    table: tuple[Trial, ...]
    reference: str
    confident: int
    notes: tuple[str, ...] = ()


def search(
    plan: TunePlan,
    folder: Path,
    *,
    catalog: PluginCatalog,
    report_step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[MeasurementProgress], None] | None = None,
    budget: Budget | None = None,
    measure_candidates: Measure = measure,
) -> SearchResult:
    """Find the fastest way to run a model within the error bound.

    Args:
        folder: an empty folder for exported files; candidates point into it.
        report_step: receives a line before each slow step.
        on_progress: see `measure`.
        measure_candidates: `measure`, or a function with the same signature.

    Raises:
        DataError: the model finds no animal in the clip.
        ModelError: no runtime can run the model.
    """
    frames = [as_rgb(frame) for frame in plan.frames.evaluated]
    calibration = plan.frames.calibration
    exports = Exports(plan.source, folder, frames, (lambda: calibration) if calibration else None, catalog, report_step)
    return _Search(
        plan,
        CandidateFactory(plan, exports, catalog),
        budget or Budget(plan.seconds),
        report_step,
        lambda candidates, images, rounds: measure_candidates(
            candidates, images, rounds=rounds, warmup=2, on_progress=on_progress, catalog=catalog
        ),
    ).run(reference_candidate(plan.source, {}, catalog))


class _Search:
    def __init__(
        self,
        plan: TunePlan,
        candidates: CandidateFactory,
        budget: Budget,
        report_step: Callable[[str], None],
        run: Callable[[Sequence[Candidate], Sequence[np.ndarray], int], list[Measurement]],
    ) -> None:
        self._plan, self._candidates, self._budget, self._report_step, self._run = (
            plan,
            candidates,
            budget,
            report_step,
            run,
        )
        self._images = plan.frames.evaluated
        self._poses: Sequence[Pose] = ()
        self._trials: list[Trial] = []
        self._notes: list[str] = []

    def run(self, reference: Candidate) -> SearchResult:
        plan = self._plan
        self._report_step(f"reference: {reference.label} on {len(self._images)} frames of {plan.frames.name}")
        confident = self._measure_reference(reference)
        self._try_settings()
        self._try_smaller_inputs()
        self._try_finalists()
        table = latest_trials(self._trials)
        winner, note = select_winner(table, plan.goal, plan.max_error)
        if winner is None:
            raise ModelError(f"no installed runtime can run {plan.source.name}: {self._failures()}")
        notes = [*self._notes, *([note] if note else [])]
        return SearchResult(
            winner=winner,
            table=tuple(sort_for_table(table, winner, plan.goal, plan.max_error)),
            reference=reference.label,
            confident=confident,
            notes=tuple(notes),
        )

    def _measure_reference(self, reference: Candidate) -> int:
        (measurement,) = self._run([reference], self._images, 1)
        if measurement.failure:
            raise ModelError(f"the reference, {reference.label}, does not run: {measurement.failure}")
        self._poses = measurement.poses
        confident = count_confident(measurement.poses)
        if confident < _MIN_CONFIDENT:
            raise DataError(
                f"the model finds {confident} confident keypoints in {len(self._poses)} frames of {self._plan.frames.name}, "
                "too few to measure an error: pass a clip that shows the animal"
            )
        return confident

    def _try_settings(self) -> None:
        """Try every setting on a few frames, spread over the clip."""
        candidate_list = self._candidates.on_whole_frames()
        self._notes += candidate_list.notes
        self._trials += [Trial(candidate=failed.candidate, failure=failed.failure) for failed in candidate_list.failed]
        indices = np.linspace(0, len(self._images) - 1, min(_FIRST_FRAMES, len(self._images))).round().astype(int)
        self._report_step(f"{len(candidate_list.candidates)} settings on {len(indices)} frames")
        self._screen(candidate_list.candidates, list(indices))

    def _try_smaller_inputs(self) -> None:
        """Try the fast settings on smaller inputs and in windows, on consecutive frames."""
        plan = self._plan
        resizes = plan.resizes if plan.card.method == "bottom-up" else ()
        height, width = self._images[0].shape[:2]
        follows = windows(self._poses, (width, height)) if can_follow(plan.card) else []
        bases = worth_resizing(self._trials, plan.goal, plan.max_error)
        candidates = [
            candidate
            for trial in bases
            for candidate in self._candidates.on_smaller_inputs(trial.candidate, resizes, follows)
        ]
        if not candidates:
            return
        seconds_per_frame = sum(trial.p50 for trial in bases) / len(bases) * len(candidates)
        count = min(len(self._images), self._budget.fits(seconds_per_frame, 0.5, *_SCREENING_FRAMES))
        self._report_step(f"{len(candidates)} smaller inputs and following crops on {count} frames")
        before = len(self._trials)
        self._screen(candidates, list(range(count)))
        combined = self._combined(self._trials[before:])
        if combined:
            self._screen(combined, list(range(count)))

    def _combined(self, trials: Sequence[Trial]) -> list[Candidate]:
        """Windows with resizing, for windows and resize factors that are each within the error bound."""
        plan = self._plan
        within_bound = [trial.candidate for trial in trials if trial.is_within(plan.max_error)]
        factors = {candidate.resize for candidate in within_bound if candidate.resize < 1}
        windowed = [
            trial
            for trial in fastest_within(trials, plan.goal, plan.max_error, len(trials))
            if trial.candidate.follow is not None
        ]
        return [replace(trial.candidate, resize=min(factors)) for trial in windowed[:2]] if factors else []

    def _try_finalists(self) -> None:
        """Repeat the fastest trials and their thread counts on all frames, interleaved, for as many rounds as time allows."""
        plan = self._plan
        finalists = select_finalists(self._trials, plan.goal, plan.max_error)
        fastest = fastest_within(finalists, plan.goal, plan.max_error, 1)
        candidates = [trial.candidate for trial in finalists]
        candidates += [
            candidate for trial in fastest for candidate in self._candidates.with_other_thread_counts(trial.candidate)
        ]
        if not candidates:
            return
        seconds_per_frame = sum(trial.p50 for trial in finalists) / len(finalists) * len(candidates)
        count = min(len(self._images), self._budget.fits(seconds_per_frame, 1.0, _FINAL_FRAMES, len(self._images)))
        rounds = self._budget.fits(seconds_per_frame * count, 1.0, 1, _MAX_ROUNDS)
        self._report_step(f"{len(candidates)} finalists on {count} frames, {rounds} rounds")
        measurements = self._run(candidates, self._images[:count], rounds)
        self._trials += [trial_of(measurement, self._poses[:count], final=True) for measurement in measurements]

    def _screen(self, candidates: Sequence[Candidate], indices: Sequence[int]) -> None:
        images, poses = [self._images[index] for index in indices], [self._poses[index] for index in indices]
        for start in range(0, len(candidates), _TOGETHER):
            measurements = self._run(candidates[start : start + _TOGETHER], images, 1)
            self._trials += [trial_of(measurement, poses) for measurement in measurements]

    def _failures(self) -> str:
        return (
            "; ".join(f"{trial.candidate.label}: {trial.failure}" for trial in self._trials if trial.failure)
            or "no runtime"
        )
