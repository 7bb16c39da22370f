"""A short campaign of hostile files against every reader, always the same; and whether a campaign notices what fails."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from dlclive_core import ModelError
from tools.fuzz import targets
from tools.fuzz.mutation import changed_bytes, changed_values
from tools.fuzz.results import merge
from tools.fuzz.run import Result, run, save
from tools.fuzz.targets import NAMES, TARGETS, Target

ROOT = Path(__file__).parents[2]


def program(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own: a campaign forks, and this one has threads and libraries of other tests."""
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_takes_or_refuses_whatever_it_is_given(name: str, tmp_path: Path) -> None:
    done = program(
        "-m", "tools.fuzz", name, "--count", "300", "--seed", "20260101", "--no-table", "--keep", str(tmp_path)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.match(rf"{name}: 300 inputs in .*, (\d+) read, (\d+) refused, 0 failed", done.stdout)
    assert counts is not None
    read, refused = int(counts[1]), int(counts[2])
    assert read + refused == 300
    assert read > 0
    assert refused > 0


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_valid_files_are_read(target: Target, tmp_path: Path) -> None:
    for number, data in enumerate(target.valid()):
        folder = tmp_path / str(number)
        folder.mkdir()
        target.read(data, folder)


def test_an_input_is_the_same_each_time_and_others_are_others() -> None:
    card = targets.target("card")
    first = [card.hostile(index, 1) for index in range(50)]
    assert first == [card.hostile(index, 1) for index in range(50)]
    assert len(set(first)) > 45
    assert first != [card.hostile(index, 2) for index in range(50)]


def test_values_and_bytes_are_changed_in_copies() -> None:
    values = {"a": [1, {"b": 2}]}
    changed = [changed_values(values, Random(seed)) for seed in range(50)]
    assert values == {"a": [1, {"b": 2}]}
    assert sum(item != values for item in changed) > 40
    assert len({changed_bytes(b"abcdef", Random(seed), [b"xyz"]) for seed in range(50)}) > 20


def _fragile(data: bytes, folder: Path) -> None:
    """Input 3 raises, 5 hangs, 7 takes memory, 9 ends the process; even ones are refused."""
    number = int(data)
    if number == 3:
        raise TypeError("three")
    if number == 5:
        time.sleep(60)
    if number == 7:
        bytearray(600 << 20)[:: 1 << 12] = b"x" * (600 << 8)  # each page is touched
    if number == 9:
        os._exit(3)
    if number == 11:
        raise ModelError("one line\nand another")
    if number % 2 == 0:
        raise ModelError("refused")


class _Numbers(Target):
    def hostile(self, index: int, seed: int) -> bytes:
        return str(index).encode()


def campaign_of_numbers(folder: str) -> None:
    """A campaign on a reader that fails in every way; prints what was found."""
    targets.TARGETS = (_Numbers(name="numbers", reader="`int`", read=_fragile, files=(b"1",)),)  # type: ignore[assignment]
    result = run("numbers", 20, seed=1, seconds=6.0)
    save("numbers", 1, result, Path(folder))
    print(json.dumps([result.inputs, result.read, result.refused, result.failures]))


def test_a_campaign_notices_every_kind_of_failure_and_goes_on(tmp_path: Path) -> None:
    code = f"from tests.core.test_fuzz import campaign_of_numbers; campaign_of_numbers({str(tmp_path)!r})"
    done = program("-c", code)
    assert done.returncode == 0, done.stderr
    inputs, read, refused, failures = json.loads(done.stdout)
    reasons = {int(index): text.strip().splitlines()[-1] for index, text in failures.items()}
    assert reasons.keys() == {3, 5, 7, 9, 11}
    assert reasons[3] == "TypeError: three"
    assert reasons[5] == "longer than 6 s"
    assert reasons[7].endswith("MB more memory")
    assert reasons[9] == "the process ended with 3"
    assert "a message of several lines" in reasons[11]
    assert (inputs, read, refused) == (20, 5, 10)
    assert (tmp_path / "numbers-1-3.bin").read_bytes() == b"3"
    assert "TypeError: three" in (tmp_path / "numbers-1-3.txt").read_text()


def test_the_table_has_a_row_for_each_target_and_keeps_the_others(tmp_path: Path) -> None:
    merge("card", Result(inputs=10, read=4, refused=6, slowest=0.0123), 1, NAMES, tmp_path)
    merge("csv", Result(inputs=5, read=5), 1, NAMES, tmp_path)
    merge("card", Result(inputs=20, read=9, refused=10, failures={3: "TypeError"}), 2, NAMES, tmp_path)
    rows = [line for line in (tmp_path / "fuzz.md").read_text().splitlines() if line.startswith("| c")]
    assert [row.split(" | ")[:6] for row in rows] == [
        ["| card", "`ModelCard.from_json`", "20", "9", "10", "1"],
        ["| csv", "`recover`", "5", "5", "0", "0"],
    ]
