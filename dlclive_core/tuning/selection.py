"""Which candidates go on, and which one is taken. Numbers in, numbers out: nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlclive_core.tuning.trial import Goal, Trial

_DOUBTFUL = 2.0
"""In the first round a candidate goes on if it is off by less than this times what is allowed: a few frames say little, and
what is off in a whole frame need not be in a window."""


def best(tried: Iterable[Trial], goal: Goal, max_error: float, count: int) -> list[Trial]:
    """The quickest of those within the error, the quickest first."""
    return sorted((one for one in tried if one.within(max_error)), key=lambda one: one.time(goal))[:count]


def safest(tried: Iterable[Trial], goal: Goal) -> Trial | None:
    """The quickest in fp32 on whole frames: what is taken where nothing else can be; None if none runs."""
    safe = [one for one in tried if one.candidate.precision == "fp32" and one.candidate.whole and not one.failure]
    return min(safe, key=lambda one: one.time(goal), default=None)


def worth_resizing(tried: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """The settings that are tried on smaller pictures: the quickest that are not far off, and the safest."""
    chosen = best(tried, goal, _DOUBTFUL * max_error, count)
    safe = safest(tried, goal)
    return chosen if safe is None or safe in chosen else [*chosen, safe]


def finalists(tried: Sequence[Trial], goal: Goal, max_error: float, count: int = 3) -> list[Trial]:
    """Who runs long: the quickest with a window that follows, the quickest without, and the safest."""
    following = best((one for one in tried if one.candidate.follow is not None), goal, max_error, count)
    others = best((one for one in tried if one.candidate.follow is None), goal, max_error, count)
    safe = safest(tried, goal)
    chosen = [*following, *others]
    return chosen if safe is None or safe in chosen else [*chosen, safe]


def winner(tried: Sequence[Trial], goal: Goal, max_error: float) -> tuple[Trial | None, str]:
    """The one to take, and what has to be said about it; None if nothing runs at all.

    Only finalists are taken. Where none of them is within the error, it is the safest.
    """
    final = [one for one in tried if one.final]
    chosen = best(final, goal, max_error, 1)
    if chosen:
        return chosen[0], ""
    safe = safest(final, goal)
    return safe, f"nothing stays within {max_error:g} px: fp32 on whole frames is taken, on the fastest runtime"


def merge(tried: Iterable[Trial]) -> list[Trial]:
    """One for each candidate: what was measured last."""
    latest = {_key(one): one for one in tried}
    return list(latest.values())


def ordered(tried: Iterable[Trial], chosen: Trial, goal: Goal, max_error: float) -> list[Trial]:
    """For tables: the chosen one, finalists, the rest by time, those that failed."""

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
