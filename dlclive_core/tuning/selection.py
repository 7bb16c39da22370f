"""Select which trials go on and which one wins, from their numbers alone: nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlclive_core.tuning.trial import Goal, Trial

_DOUBTFUL = 2.0
"""In the first round a candidate goes on if it is off by less than this times what is allowed: a few frames say little, and
what is off in a whole frame need not be in a window."""


def fastest_within(tried: Iterable[Trial], goal: Goal, max_error: float, count: int) -> list[Trial]:
    """The fastest trials within the error bound, fastest first."""
    return sorted((one for one in tried if one.within(max_error)), key=lambda one: one.time(goal))[:count]


def fastest_fp32(tried: Iterable[Trial], goal: Goal) -> Trial | None:
    """The fastest trial in fp32 on whole frames, the fallback if nothing is within the bound; None if none runs."""
    safe = [one for one in tried if one.candidate.precision == "fp32" and one.candidate.whole and not one.failure]
    return min(safe, key=lambda one: one.time(goal), default=None)


def worth_resizing(tried: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """The settings to try on smaller inputs: the fastest that are not far off, and the fastest in fp32."""
    chosen = fastest_within(tried, goal, _DOUBTFUL * max_error, count)
    safe = fastest_fp32(tried, goal)
    return chosen if safe is None or safe in chosen else [*chosen, safe]


def select_finalists(tried: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """The trials to repeat on all frames: the fastest with and without a crop that follows, and the fastest in fp32."""
    following = fastest_within((one for one in tried if one.candidate.follow is not None), goal, max_error, count)
    others = fastest_within((one for one in tried if one.candidate.follow is None), goal, max_error, count)
    safe = fastest_fp32(tried, goal)
    chosen = [*following, *others]
    return chosen if safe is None or safe in chosen else [*chosen, safe]


def select_winner(tried: Sequence[Trial], goal: Goal, max_error: float) -> tuple[Trial | None, str]:
    """The winning trial and a note for the user, or None if nothing runs.

    Only finalists can win. If none is within the error bound, the fastest in fp32 on whole frames wins.
    """
    final = [one for one in tried if one.final]
    chosen = fastest_within(final, goal, max_error, 1)
    if chosen:
        return chosen[0], ""
    safe = fastest_fp32(final, goal)
    return safe, f"nothing stays within {max_error:g} px: fp32 on whole frames is taken, on the fastest runtime"


def latest_trials(tried: Iterable[Trial]) -> list[Trial]:
    """The latest trial of each candidate."""
    latest = {_key(one): one for one in tried}
    return list(latest.values())


def sort_for_table(tried: Iterable[Trial], chosen: Trial, goal: Goal, max_error: float) -> list[Trial]:
    """Sort for tables: the winner, finalists, the rest by time, failures."""

    def place(one: Trial) -> tuple[bool, bool, bool, float]:
        usable = not one.failure
        return (
            one is not chosen,
            not usable,
            not (one.final and one.within(max_error)),
            one.time(goal) if usable else 0.0,
        )

    return sorted(tried, key=place)


def _key(one: Trial) -> tuple[object, ...]:
    candidate = one.candidate
    return candidate.label, candidate.path
