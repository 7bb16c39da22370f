"""The search: all settings on a few frames, fast ones on smaller inputs, then the finalists interleaved on all frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.interleaved import BLOCK, MeasurementProgress, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.reference import reference_candidate
from dlclive_core.data.frame import as_rgb
from dlclive_core.data.pose import Pose
from dlclive_core.errors import DataError, ModelError
from dlclive_core.machine.load import busy_note
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.text.counted import counted
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
from dlclive_core.tuning.split_clip import LEAST
from dlclive_core.tuning.trial import Trial, count_confident, trial_of
from dlclive_core.tuning.window_sizes import can_follow, windows

_PROBE_FRAMES = 3  # of the reference, to learn how long a frame takes
_REFERENCE_SHARE = 0.25  # of the time, at most, for the reference
_LEAST_REFERENCE = 8  # frames, however little time there is
_FIRST_SHARE = 0.3
_FIRST_FRAMES = (4, 12)  # minimum and maximum frames of the first stage
_SCREENING_FRAMES = (8, 60)  # of the second stage
_FINAL_FRAMES = 3 * BLOCK  # minimum frames of the last stage: fewer do not show the noise
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
        interrupted: the user pressed Ctrl-C, and the winner is the best of what had been measured.
    """

    winner: Trial
    table: tuple[Trial, ...]
    reference: str
    confident: int
    notes: tuple[str, ...] = ()
    interrupted: bool = False


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
        KeyboardInterrupt: before there was a setting to keep. Later, the search ends with the best so far.
    """
    budget = budget or Budget(plan.seconds)

    def report_with_time(text: str) -> None:
        report_step(f"{budget.elapsed:.0f} s of {budget.seconds:g} s: {text}")

    frames = [as_rgb(frame) for frame in plan.frames.evaluated]
    calibration = plan.frames.calibration
    exports = Exports(
        plan.source,
        folder,
        frames,
        (lambda: calibration) if calibration else None,
        catalog,
        report_with_time,
        may_begin=lambda: budget.left > 0,
    )
    return _Search(
        plan,
        CandidateFactory(plan, exports, catalog),
        budget,
        report_with_time,
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
        self._seconds = 0.0  # of the reference, for a frame
        self._trials: list[Trial] = []
        self._notes: list[str] = []

    def run(self, reference: Candidate) -> SearchResult:
        plan = self._plan
        confident = self._measure_reference(reference)
        interrupted = False
        try:
            self._try_settings()
            self._try_smaller_inputs()
            self._try_finalists()
        except KeyboardInterrupt:
            if not any(trial.is_within(plan.max_error) for trial in self._trials):
                raise
            interrupted = True
            self._notes.append(
                f"interrupted after {self._budget.elapsed:.0f} s: this is the best of what had been measured"
            )
        table = latest_trials(self._trials)
        winner, note = select_winner(table, plan.goal, plan.max_error)
        if winner is None:
            raise ModelError(f"no installed runtime can run {plan.source.name}: {self._failures()}")
        notes = [*self._notes, *([note] if note else [])]
        if busy := busy_note():
            notes.append(f"{busy}: a setting may be faster on an idle machine; tune again when it is idle")
        return SearchResult(
            winner=winner,
            table=tuple(sort_for_table(table, winner, plan.goal, plan.max_error)),
            reference=reference.label,
            confident=confident,
            notes=tuple(notes),
            interrupted=interrupted,
        )

    def _measure_reference(self, reference: Candidate) -> int:
        self._shrink(reference)
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

    def _shrink(self, reference: Candidate) -> None:
        """Keep as many frames as the reference can run in its share of the time."""
        images, name = self._images, self._plan.frames.name
        self._report_step(f"reference: {reference.label}, {_PROBE_FRAMES} frames to learn its time")
        (probe,) = self._run([reference], images[:_PROBE_FRAMES], 1)
        if probe.failure:
            return  # the measurement of the reference reports it
        self._seconds = probe.p50
        keypoints = max(1, len(self._plan.card.skeleton))
        least = min(LEAST, max(_LEAST_REFERENCE, math.ceil(2 * _MIN_CONFIDENT / keypoints)))
        self._images = images[: self._budget.fits(probe.p50, _REFERENCE_SHARE, least, len(images))]
        if len(self._images) < len(images):
            self._notes.append(
                f"{len(self._images)} of {len(images)} frames were used, as many as fit into {self._budget.seconds:g} s: "
                "increase --seconds to use all"
            )
        about = probe.p50 * len(self._images)
        if about > self._budget.left:
            self._notes.append(f"the reference alone took longer than {self._budget.seconds:g} s: increase --seconds")
        self._report_step(f"reference: {reference.label} on {len(self._images)} frames of {name}, about {about:.0f} s")

    def _try_settings(self) -> None:
        """Try every setting on a few frames, spread over the clip."""
        candidate_list = self._candidates.on_whole_frames()
        self._notes += candidate_list.notes
        self._trials += [Trial(candidate=failed.candidate, failure=failed.failure) for failed in candidate_list.failed]
        seconds_each = self._seconds * len(candidate_list.candidates)
        count = min(len(self._images), self._budget.fits(seconds_each, _FIRST_SHARE, *_FIRST_FRAMES))
        indices = np.linspace(0, len(self._images) - 1, count).round().astype(int)
        self._announce(
            f"{counted(len(candidate_list.candidates), 'setting')} on {counted(count, 'frame')}", seconds_each * count
        )
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
        if not candidates or not self._budget.left:
            return
        seconds_per_frame = sum(trial.p50 for trial in bases) / len(bases) * len(candidates)
        count = min(len(self._images), self._budget.fits(seconds_per_frame, 0.5, *_SCREENING_FRAMES))
        self._announce(
            f"{len(candidates)} smaller inputs and following crops on {count} frames", seconds_per_frame * count
        )
        before = len(self._trials)
        self._screen(candidates, list(range(count)))
        combined = self._combined(self._trials[before:])
        if combined and self._budget.left:
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
        finalists = select_finalists(self._trials, plan.goal, plan.max_error, 3 if self._budget.left else 1)
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
        about = seconds_per_frame * count * rounds
        self._announce(
            f"{counted(len(candidates), 'finalist')} on {counted(count, 'frame')}, {counted(rounds, 'round')}", about
        )
        measurements = self._run(candidates, self._images[:count], rounds)
        self._trials += [trial_of(measurement, self._poses[:count], final=True) for measurement in measurements]

    def _screen(self, candidates: Sequence[Candidate], indices: Sequence[int]) -> None:
        images, poses = [self._images[index] for index in indices], [self._poses[index] for index in indices]
        for start in range(0, len(candidates), _TOGETHER):
            if start and not self._budget.left:
                self._notes.append(
                    f"{len(candidates) - start} settings were not tried, as the time was over: increase --seconds"
                )
                return
            measurements = self._run(candidates[start : start + _TOGETHER], images, 1)
            self._trials += [trial_of(measurement, poses) for measurement in measurements]

    def _announce(self, what: str, seconds: float) -> None:
        self._report_step(f"{what}, about {seconds:.0f} s besides loading")

    def _failures(self) -> str:
        return (
            "; ".join(f"{trial.candidate.label}: {trial.failure}" for trial in self._trials if trial.failure)
            or "no runtime"
        )
