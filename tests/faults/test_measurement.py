"""Faults are measured again if they miss a time bound, and their rows are merged into the files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.faults.measurement import Measurement, measured
from tools.faults.results import merge
from tools.faults.row import Row


def row(fault: str, holds: bool = True, in_time: bool = True) -> Row:
    return Row(fault, "by hand", "<= 1 s", f"{fault} | seen", 3, holds, in_time, "2026-01-02", 0.25)


def scripted(*results: Sequence[Row]) -> tuple[Measurement, list[bool]]:
    """A measurement that returns these results in turn, and the arguments of its calls."""
    remaining, calls = list(results), []

    def measure(short: bool) -> Sequence[Row]:
        calls.append(short)
        return remaining.pop(0)

    return Measurement("scripted", measure), calls


def test_the_short_form_repeats_a_missed_time_bound() -> None:
    late, good = row("late", in_time=False), row("late")
    measurement, calls = scripted([late], [good])
    (result,) = measured(measurement, short=True)
    assert (result.passed, result.kept, len(calls)) == (True, "yes, on try 2", 2)


def test_a_time_bound_missed_on_every_try_is_not_kept() -> None:
    measurement, calls = scripted(*[[row("late", in_time=False)]] * 5)
    (result,) = measured(measurement, short=True)
    assert (result.passed, result.kept, len(calls)) == (False, "**no**, in 3 tries", 3)


@pytest.mark.parametrize(
    "first", [[row("wrong", holds=False)], [row("late", in_time=False), row("wrong", holds=False)]]
)
def test_other_missed_bounds_are_not_repeated(first: list[Row]) -> None:
    measurement, calls = scripted(first, [row("late"), row("wrong")])
    assert not all(result.passed for result in measured(measurement, short=True))
    assert calls == [True]


def test_the_full_form_measures_once() -> None:
    measurement, calls = scripted([row("late", in_time=False)], [row("late")])
    (result,) = measured(measurement, short=False)
    assert (result.kept, calls) == ("**no**, measure again on a quiet machine", [False])


def test_an_exception_becomes_a_failed_row() -> None:
    def measure(short: bool) -> Row:
        raise ValueError("no\nlaser")

    (result,) = measured(Measurement("laser", measure), short=True)
    assert (result.fault, result.measured, result.passed, result.kept) == (
        "laser",
        "ValueError: no laser",
        False,
        "**no**",
    )


def test_merge_replaces_only_the_rows_of_its_names(tmp_path: Path) -> None:
    merge({"two": [row("b")], "one": [row("a"), row("a2")], "old": [row("gone")]}, ("one", "two", "old"), tmp_path)
    before = json.loads((tmp_path / "faults.json").read_text())
    merge({"two": [row("b, again", in_time=False)]}, ("one", "two", "three"), tmp_path)
    after = json.loads((tmp_path / "faults.json").read_text())
    assert list(after) == ["one", "two"]
    assert after["one"] == before["one"]
    lines = [line for line in (tmp_path / "faults.md").read_text().splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines] == ["| fault", "| a", "| a2", "| b, again"]
    assert lines[1] == "| a | by hand | <= 1 s | a / seen | 3 | 2026-01-02 | 0.2 | yes |"
    assert lines[3].endswith("| **no**, measure again on a quiet machine |")
