"""Search: all settings briefly, the fast ones on smaller inputs, then the finalists on all frames, interleaved."""

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
from dlclive_core.tuning.candidates import Candidates
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

_BRIEF = 12  # frames of the first round
_SCREENED = (16, 60)  # of the second one, least and most
_JUDGED_LEAST = 40  # of the last one
_ROUNDS = 5
_TOGETHER = 8  # candidates that are in memory at once while there are many
_SURE = 20  # keypoints that the reference is sure of, at least

Measure = Callable[..., list[Measurement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search.

    Attributes:
        chosen: the winning trial.
        table: all trials, the winner first.
        reference: what errors were measured against.
        confident: how many keypoints of the evaluated frames it finds with confidence.
        notes: what the user should know.
    """

    chosen: Trial
    table: tuple[Trial, ...]
    reference: str
    confident: int
    notes: tuple[str, ...] = ()


def search(
    plan: TunePlan,
    folder: Path,
    *,
    catalog: PluginCatalog,
    tell: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[MeasurementProgress], None] | None = None,
    budget: Budget | None = None,
    measuring: Measure = measure,
) -> SearchResult:
    """Find the best way to run a model.

    Args:
        folder: an empty folder for exported files; candidates point into it.
        tell: receives a line before each slow step.
        on_progress: see `measure`.
        measuring: `measure`, or something like it.

    Raises:
        DataError: the model finds no animal in the clip.
        ModelError: nothing runs.
    """
    frames = [as_rgb(frame) for frame in plan.frames.judged]
    calibration = plan.frames.calibration
    exports = Exports(plan.source, folder, frames, (lambda: calibration) if calibration else None, catalog, tell)
    return _Search(
        plan,
        Candidates(plan, exports, catalog),
        budget or Budget(plan.seconds),
        tell,
        lambda candidates, images, rounds: measuring(
            candidates, images, rounds=rounds, warmup=2, on_progress=on_progress, catalog=catalog
        ),
    ).run(reference_candidate(plan.source, {}, catalog))


class _Search:
    def __init__(
        self,
        plan: TunePlan,
        candidates: Candidates,
        budget: Budget,
        tell: Callable[[str], None],
        run: Callable[[Sequence[Candidate], Sequence[np.ndarray], int], list[Measurement]],
    ) -> None:
        self._plan, self._candidates, self._budget, self._tell, self._run = plan, candidates, budget, tell, run
        self._images = plan.frames.judged
        self._poses: Sequence[Pose] = ()
        self._tried: list[Trial] = []
        self._notes: list[str] = []

    def run(self, reference: Candidate) -> SearchResult:
        plan = self._plan
        self._tell(f"reference: {reference.label} on {len(self._images)} frames of {plan.frames.name}")
        confident = self._measure_reference(reference)
        self._try_settings()
        self._try_pictures()
        self._try_finalists()
        table = latest_trials(self._tried)
        chosen, note = select_winner(table, plan.goal, plan.max_error)
        if chosen is None:
            raise ModelError(f"no installed runtime can run {plan.source.name}: {self._failures()}")
        notes = [*self._notes, *([note] if note else [])]
        return SearchResult(
            chosen=chosen,
            table=tuple(sort_for_table(table, chosen, plan.goal, plan.max_error)),
            reference=reference.label,
            confident=confident,
            notes=tuple(notes),
        )

    def _measure_reference(self, reference: Candidate) -> int:
        (one,) = self._run([reference], self._images, 1)
        if one.failure:
            raise ModelError(
                f"the model does not run as {reference.label}, which errors are measured against: {one.failure}"
            )
        self._poses = one.poses
        confident = count_confident(one.poses)
        if confident < _SURE:
            raise DataError(
                f"the model finds {confident} confident keypoints in {len(one.poses)} frames of {self._plan.frames.name}, too "
                "few to measure an error: give a clip that shows the animal"
            )
        return confident

    def _try_settings(self) -> None:
        """Every setting on a few frames, spread over those that are judged."""
        choice = self._candidates.whole()
        self._notes += choice.notes
        self._tried += [Trial(candidate=one.candidate, failure=one.failure) for one in choice.failed]
        places = np.linspace(0, len(self._images) - 1, min(_BRIEF, len(self._images))).round().astype(int)
        self._tell(f"{len(choice.candidates)} settings on {len(places)} frames")
        self._screen(choice.candidates, list(places))

    def _try_pictures(self) -> None:
        """The quick settings on smaller pictures and in windows, on frames that follow one another."""
        plan = self._plan
        resizes = plan.resizes if plan.card.method == "bottom-up" else ()
        height, width = self._images[0].shape[:2]
        follows = windows(self._poses, (width, height)) if can_follow(plan.card) else []
        chosen = worth_resizing(self._tried, plan.goal, plan.max_error)
        made = [small for one in chosen for small in self._candidates.smaller(one.candidate, resizes, follows)]
        if not made:
            return
        each = sum(one.p50 for one in chosen) / len(chosen) * len(made)
        count = min(len(self._images), self._budget.fits(each, 0.5, *_SCREENED))
        self._tell(f"{len(made)} smaller inputs and following crops on {count} frames")
        before = len(self._tried)
        self._screen(made, list(range(count)))
        both = self._both(self._tried[before:])
        if both:
            self._screen(both, list(range(count)))

    def _both(self, tried: Sequence[Trial]) -> list[Candidate]:
        """Windows of smaller pictures, where each of the two is within the error."""
        plan = self._plan
        good = [one.candidate for one in tried if one.within(plan.max_error)]
        factors = {one.resize for one in good if one.resize < 1}
        windowed = [
            one
            for one in fastest_within(tried, plan.goal, plan.max_error, len(tried))
            if one.candidate.follow is not None
        ]
        return [replace(one.candidate, resize=min(factors)) for one in windowed[:2]] if factors else []

    def _try_finalists(self) -> None:
        """The best, with their threads, on all frames, as many rounds as time allows, interleaved."""
        plan = self._plan
        chosen = select_finalists(self._tried, plan.goal, plan.max_error)
        quickest = fastest_within(chosen, plan.goal, plan.max_error, 1)
        made = [one.candidate for one in chosen]
        made += [threaded for one in quickest for threaded in self._candidates.threads(one.candidate)]
        if not made:
            return
        each = sum(one.p50 for one in chosen) / len(chosen) * len(made)
        count = min(len(self._images), self._budget.fits(each, 1.0, _JUDGED_LEAST, len(self._images)))
        rounds = self._budget.fits(each * count, 1.0, 1, _ROUNDS)
        self._tell(f"{len(made)} finalists on {count} frames, {rounds} rounds")
        measured = self._run(made, self._images[:count], rounds)
        self._tried += [trial_of(one, self._poses[:count], final=True) for one in measured]

    def _screen(self, candidates: Sequence[Candidate], places: Sequence[int]) -> None:
        images, poses = [self._images[place] for place in places], [self._poses[place] for place in places]
        for start in range(0, len(candidates), _TOGETHER):
            measured = self._run(candidates[start : start + _TOGETHER], images, 1)
            self._tried += [trial_of(one, poses) for one in measured]

    def _failures(self) -> str:
        return "; ".join(f"{one.candidate.label}: {one.failure}" for one in self._tried if one.failure) or "no runtime"
