"""Selects the trials to continue with and the winner, from their numbers alone; runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlclive_core.data.precision import PRECISIONS
from dlclive_core.tuning.noise import is_faster
from dlclive_core.tuning.trial import Goal, Trial

_FIRST_STAGE_FACTOR = 2.0
"""Multiple of the error bound up to which a candidate stays in after the first stage. The error over a few frames is
uncertain, and a candidate that is off on whole frames need not be off in a window."""


def fastest_within(trials: Iterable[Trial], goal: Goal, max_error: float, count: int) -> list[Trial]:
    """The fastest trials within the error bound, fastest first."""
    return sorted((trial for trial in trials if trial.is_within(max_error)), key=lambda trial: trial.time(goal))[:count]


def fastest_fp32(trials: Iterable[Trial], goal: Goal) -> Trial | None:
    """The fastest trial of the model in fp32 on whole frames, for if no trial is within the bound. None if none runs."""
    fallback = [
        trial
        for trial in trials
        if trial.candidate.precision == "fp32"
        and trial.candidate.sees_whole_frame
        and not trial.failure
        and not trial.candidate.student
    ]
    return min(fallback, key=lambda trial: trial.time(goal), default=None)


def worth_resizing(trials: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """The settings to try on smaller inputs: the fastest that are not far off, and the fastest in fp32.

    A student is none of them: it was trained for whole frames of one size.
    """
    trials = [trial for trial in trials if not trial.candidate.student]
    selected = fastest_within(trials, goal, _FIRST_STAGE_FACTOR * max_error, count)
    fallback = fastest_fp32(trials, goal)
    return selected if fallback is None or fallback in selected else [*selected, fallback]


def select_finalists(trials: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """The trials to repeat on all frames: the fastest with and without a crop that follows, of students, and in fp32."""
    students = fastest_within((trial for trial in trials if trial.candidate.student), goal, max_error, 1)
    trials = [trial for trial in trials if not trial.candidate.student]
    following = fastest_within(
        (trial for trial in trials if trial.candidate.follow is not None), goal, max_error, count
    )
    others = fastest_within((trial for trial in trials if trial.candidate.follow is None), goal, max_error, count)
    fallback = fastest_fp32(trials, goal)
    selected = [*students, *following, *others]
    return selected if fallback is None or fallback in selected else [*selected, fallback]


def select_winner(trials: Sequence[Trial], goal: Goal, max_error: float) -> tuple[Trial | None, str]:
    """The winning trial and a note for the user; no trial if none runs.

    Only finalists can win, or if there are none because the search was interrupted, any trial. The fastest within the error
    bound wins, unless a simpler setting is as fast within the noise. If none is within the bound, the fastest in fp32 on
    whole frames wins.
    """
    final = [trial for trial in trials if trial.final] or list(trials)
    winners = fastest_within(final, goal, max_error, 1)
    if winners:
        simplest = min(
            (trial for trial in final if trial.is_within(max_error) and not is_faster(winners[0], trial, goal)),
            key=_complexity,
            default=winners[0],
        )
        if _complexity(simplest) >= _complexity(winners[0]):
            return winners[0], ""
        return simplest, (
            f"{winners[0].candidate.label} is not faster than {simplest.candidate.label} beyond the noise of the measurement: "
            "the simpler setting is kept"
        )
    fallback = fastest_fp32(final, goal)
    return fallback, f"no other setting is within {max_error:g} px: using fp32 on whole frames on the fastest runtime"


def _complexity(trial: Trial) -> tuple[bool, int, bool, bool, int]:
    """Simpler settings are smaller: no student, without options, on whole frames, unscaled, in the precision of the model."""
    candidate = trial.candidate
    precision = PRECISIONS.index(candidate.precision) if candidate.precision in PRECISIONS else len(PRECISIONS)
    return (
        bool(candidate.student),
        len(candidate.options),
        candidate.follow is not None,
        candidate.resize != 1.0,
        precision,
    )


def latest_trials(trials: Iterable[Trial]) -> list[Trial]:
    """The latest trial of each candidate."""
    latest = {_key(trial): trial for trial in trials}
    return list(latest.values())


def sort_for_table(trials: Iterable[Trial], winner: Trial, goal: Goal, max_error: float) -> list[Trial]:
    """Sort for tables: the winner, finalists, the rest by time, failures."""

    def rank(trial: Trial) -> tuple[bool, bool, bool, float]:
        usable = not trial.failure
        return (
            trial is not winner,
            not usable,
            not (trial.final and trial.is_within(max_error)),
            trial.time(goal) if usable else 0.0,
        )

    return sorted(trials, key=rank)


def _key(trial: Trial) -> tuple[object, ...]:
    candidate = trial.candidate
    return candidate.label, candidate.path
