"""The numbers, the table and the picture of `dlclive latency`, from trials made by hand."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from dlclive_core import LatencyTrial
from dlclive_core.cli.live.latency_table import Spread, trials_csv, trials_to_dict
from dlclive_core.cli.live.trials_picture import HEIGHT, WIDTH, trials_picture
from tests.svg_checks import check_picture


def trial(number: int, latency: float | None, frame: int | None = 7, age: float = 0.01) -> LatencyTrial:
    lost = frame is None
    return LatencyTrial(
        number=number, interval=0.5, lit_at=float(number), latency=latency, frame=frame, age=math.nan if lost else age
    )


def test_the_spread_is_numpys() -> None:
    seconds = np.random.default_rng(1).gamma(4, 0.01, 200)
    spread = Spread.of(list(seconds))
    assert spread is not None
    assert spread.count == 200
    for name, share in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        assert getattr(spread, name) == pytest.approx(1e3 * np.percentile(seconds, share))
    assert spread.sd_ms == pytest.approx(1e3 * np.std(seconds, ddof=1))
    assert spread.iqr_ms == pytest.approx(1e3 * np.subtract(*np.percentile(seconds, (75, 25))))
    assert spread.max_ms == pytest.approx(1e3 * seconds.max())
    assert Spread.of([]) is None
    assert Spread.of([0.02]) == Spread(1, 20.0, 20.0, 20.0, 20.0, 20.0, 0.0, 0.0)


def test_missed_trials_are_counted_and_are_no_latency() -> None:
    trials = [trial(1, 0.030), trial(2, None), trial(3, 0.040), trial(4, None, frame=None), trial(5, 0.050, frame=None)]
    values = trials_to_dict(trials, 2, 0.0005)
    assert (values["trials"], values["answered"], values["missed"], values["false_answers"]) == (5, 3, 2, 2)
    assert values["latency"]["p50_ms"] == pytest.approx(40)
    assert values["age"]["count"] == 2
    assert values["rest"]["p50_ms"] == pytest.approx(25)
    assert values["round_trip_ms"] == 0.5


def test_the_table_has_a_row_for_each_trial() -> None:
    rows = list(csv.DictReader(io.StringIO(trials_csv([trial(1, 0.0301234), trial(2, None, frame=None)]))))
    assert [row["trial"] for row in rows] == ["1", "2"]
    assert rows[0] | {"latency_ms": "30.123", "frame": "7", "age_ms": "10.000", "rest_ms": "20.123"} == rows[0]
    assert (rows[1]["latency_ms"], rows[1]["frame"], rows[1]["age_ms"], rows[1]["rest_ms"]) == ("", "", "", "")


@pytest.mark.parametrize("count", [1, 2, 20, 500])
def test_the_picture_can_be_read(count: int) -> None:
    source = np.random.default_rng(2)
    trials = [trial(n + 1, None if n % 10 == 9 else float(source.gamma(9, 0.005))) for n in range(count)]
    root = check_picture(trials_picture("mouse on onnx", trials, trials_to_dict(trials, 1, 0.0)))
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    red = [element for element in root.iter() if element.get("fill") == "#c0392b" and element.tag.endswith("rect")]
    assert len(red) == sum(item.latency is None for item in trials)


def test_the_picture_without_any_answer_says_so() -> None:
    trials = [trial(1, None)]
    assert "0 of 1 LEDs answered" in trials_picture("t", trials, trials_to_dict(trials, 0, 0.0))
