"""How faults are measured again, and how their rows are kept."""

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


def scripted(*answers: Sequence[Row]) -> tuple[Measurement, list[bool]]:
    left, asked = list(answers), []

    def measure(short: bool) -> Sequence[Row]:
        asked.append(short)
        return left.pop(0)

    return Measurement("scripted", measure), asked


def test_a_missed_time_is_measured_again_in_the_short_form() -> None:
    late, good = row("late", in_time=False), row("late")
    what, asked = scripted([late], [good])
    (found,) = measured(what, short=True)
    assert (found.passed, found.kept, len(asked)) == (True, "yes, at try 2", 2)


def test_a_time_that_is_missed_each_time_is_not_kept() -> None:
    what, asked = scripted(*[[row("late", in_time=False)]] * 5)
    (found,) = measured(what, short=True)
    assert (found.passed, found.kept, len(asked)) == (False, "**no**, in 3 tries", 3)


@pytest.mark.parametrize(
    "first", [[row("wrong", holds=False)], [row("late", in_time=False), row("wrong", holds=False)]]
)
def test_what_is_wrong_is_not_measured_again(first: list[Row]) -> None:
    what, asked = scripted(first, [row("late"), row("wrong")])
    assert not all(found.passed for found in measured(what, short=True))
    assert asked == [True]


def test_the_whole_form_measures_once() -> None:
    what, asked = scripted([row("late", in_time=False)], [row("late")])
    (found,) = measured(what, short=False)
    assert (found.kept, asked) == ("**no**, measure again on a quiet machine", [False])


def test_what_raises_has_failed() -> None:
    def measure(short: bool) -> Row:
        raise ValueError("no\nlaser")

    (found,) = measured(Measurement("laser", measure), short=True)
    assert (found.fault, found.measured, found.passed, found.kept) == ("laser", "ValueError: no laser", False, "**no**")


def test_rows_of_other_names_stay_as_they_are(tmp_path: Path) -> None:
    merge({"two": [row("b")], "one": [row("a"), row("a2")], "old": [row("gone")]}, ("one", "two", "old"), tmp_path)
    before = json.loads((tmp_path / "faults.json").read_text())
    merge({"two": [row("b, anew", in_time=False)]}, ("one", "two", "three"), tmp_path)
    after = json.loads((tmp_path / "faults.json").read_text())
    assert list(after) == ["one", "two"]
    assert after["one"] == before["one"]
    lines = [line for line in (tmp_path / "faults.md").read_text().splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines] == ["| fault", "| a", "| a2", "| b, anew"]
    assert lines[1] == "| a | by hand | <= 1 s | a / seen | 3 | 2026-01-02 | 0.2 | yes |"
    assert lines[3].endswith("| **no**, measure again on a quiet machine |")
