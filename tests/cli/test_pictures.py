"""Every SVG picture, in cases that are hard to lay out: readable in programs that know presentation attributes only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.benchmark import Accuracy, Candidate, FollowingCropSpec, Measurement
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.benchmark.verdict import Verdict
from dlclive_core.cli.live.latency_history import History
from dlclive_core.cli.live.latency_picture import latency_picture
from dlclive_core.cli.live.live_numbers import BINS, FIRST, RATIO
from dlclive_core.cli.measure.benchmark_picture import benchmark_picture
from dlclive_core.cli.measure.tune_picture import tune_picture
from dlclive_core.cli.svg import log_ticks, shorten, text_width, wrap
from dlclive_core.data.stage_times import Stopwatch
from dlclive_core.session import StageTimes
from dlclive_core.testing import BlobModel
from dlclive_core.tuning import ClipSplit, SearchResult, Trial, TunePlan
from tests.svg_checks import SVG, axes, check_picture

FILE = Path("a-model-with-a-name-that-goes-on-and-on-and-on-and-on-until-no-title-of-a-picture-holds-it.onnx")
FOLLOW = FollowingCropSpec(window=(256, 192), rotates=True)
REASON = (
    "failed: the runtime 'tensorrt' needs a library that is not installed, and a GPU of a generation that it knows; "
    * 3
)
REMEDY = "run: pip install 'dlclive-tensorrt[all]'"


def times(stage: str, *seconds: float) -> StageTimes:
    watch = Stopwatch(stage)
    for value in seconds:
        watch.add(value)
    return watch.times()


def latency(seconds: list[float], title: str = "mouse on onnx") -> str:
    history, distribution = History(), [0] * BINS
    for number, value in enumerate(seconds):
        history.add(number * 0.1 + 0.01, value)
        distribution[int(math.log(value / FIRST) / math.log(RATIO))] += 1
    parts = (("wait", 0.6), ("region", 0.001), ("inference", 0.398), ("processors", 1e-6), ("latency", 1.0))
    stages = [times(name, *(share * value for value in seconds)) for name, share in parts]
    return latency_picture(title, history, distribution, stages)


@pytest.mark.parametrize(
    "seconds",
    [[0.01] * 300 + [4.0], [0.02], [0.0001, 0.0002] * 9, list(np.linspace(0.01, 0.1, 200)), [12.0, 30.0] * 5],
    ids=["one slow", "one", "fast", "even", "slow"],
)
def test_the_latency_picture_is_readable(seconds: list[float]) -> None:
    root = check_picture(latency(seconds, FILE.name * 2))
    assert len(axes(root)) == 5  # time and latency; latency and frames; duration


def candidate(runtime: str = "openvino", **changes: object) -> Candidate:
    return Candidate(**{"runtime": runtime, "precision": "bf16", "device": "cpu", "path": FILE, **changes})


def row(seconds: list[float], px: float, state: str = "ok", flips: int = 0, **changes: object) -> Row:
    why = "" if state == "ok" else REASON + REMEDY
    measurement = Measurement(candidate=candidate(**changes), times=np.array(seconds))
    accuracy = Accuracy(30, px / 2, px, px, px, flips) if seconds else None
    return Row(measurement=measurement, accuracy=accuracy, verdict=Verdict(state, why))  # type: ignore[arg-type]


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    source = tmp_path / FILE.name
    source.write_bytes(b"")
    return Benchmark(
        source=source,
        sha256="",
        card=replace(BlobModel().card, net_type="top_down_hrnet_w48" * 5),
        clip=Clip(FILE.name, (np.zeros((480, 640, 3), np.uint8),)),
        rounds=2,
        rows=(
            row([0.001] * 99 + [9.0], 0.0),
            row([1.0], math.inf, flips=1234),
            row([0.5], 480.0, follow=FOLLOW, resize=0.5, options={"threads": 1, "nhwc": "true", "spinning": "false"}),
            row([0.3], math.nan, "doubtful"),
            row([], math.nan, "failed", runtime="tensorrt"),
            row([0.1], 0.1, "rejected"),
        ),
        reference="",
        peaks={},
        machine={"processor": "A processor with a name of many words, at 2.10 GHz " * 3},
        load_after=None,
    )


def test_the_picture_of_a_benchmark_is_readable(benchmark: Benchmark) -> None:
    root = check_picture(benchmark_picture(benchmark))
    assert len(axes(root)) == 2
    one_candidate = replace(benchmark, rows=benchmark.rows[:1])
    check_picture(benchmark_picture(one_candidate))


@pytest.mark.parametrize("rows", [slice(None), slice(4, None)], ids=["some", "all"])
def test_the_reason_of_a_failure_is_complete_with_its_remedy(benchmark: Benchmark, rows: slice) -> None:
    root = check_picture(benchmark_picture(replace(benchmark, rows=benchmark.rows[rows])))
    text = " ".join(item.text or "" for item in root.iter(f"{SVG}text"))
    assert text.count(REMEDY) == 2
    assert text.count(" ".join(REASON.split())) == 2


def trial(ms: float, px: float, **changes: object) -> Trial:
    return Trial(
        candidate=candidate(**changes), p50=ms / 1000, p99=ms / 500, p95_px=px, lost=3, frames=40, final=ms < 50
    )


@pytest.mark.parametrize(
    "points",
    [
        [(10.0, 0.2), (10.0, 0.2), (10.01, 0.2), (10.0, 0.21), (10.02, 0.2), (10.0, 0.2), (10.0, 0.5)],
        [(0.4, 0.0), (900.0, math.inf), (2.0, 512.0), (30.0, 0.01), (35.0, math.nan)],
        [(5.0, 0.1)],
        [(7.0 + n, 0.1 * n) for n in range(30)],
    ],
    ids=["equal", "far apart", "one", "many"],
)
def test_the_picture_of_tuning_is_readable_and_shows_every_trial_inside(points: list[tuple[float, float]]) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    plan = TunePlan(source=FILE, card=BlobModel().card, frames=ClipSplit(FILE.name, (image,), (image,)))
    options = {"threads": 1, "follow": FOLLOW}
    trials = [trial(ms, px, options={**options, "number": number}) for number, (ms, px) in enumerate(points)]
    broken = replace(trials[0], p50=math.nan, failure="does not run")
    result = SearchResult(winner=trials[0], table=(*trials, broken), reference="onnx:fp32:cpu", confident=9)
    root = check_picture(tune_picture(plan, result, "a machine " * 20))
    assert len(axes(root)) == 2
    dots = [(float(dot.get("cx", 0)), float(dot.get("cy", 0))) for dot in root.iter(f"{SVG}circle")]
    places = dict(zip(reversed(points), dots, strict=True))
    finite = sorted(point for point in places if math.isfinite(point[1]) and point[1] > 0.01)
    for (ms, px), (other_ms, other_px) in pairwise(finite):
        assert (places[ms, px][0] < places[other_ms, other_px][0]) == (ms < other_ms)
        assert (places[ms, px][1] > places[other_ms, other_px][1]) == (px < other_px)


@pytest.mark.parametrize(
    "change",
    [
        lambda svg: svg.replace('font-size="12"', 'font-size="12" style="fill: navy"', 2),
        lambda svg: svg.replace('text-anchor="end"', 'text-anchor="end" dominant-baseline="middle"'),
        lambda svg: svg.replace('text-anchor="end"', 'text-anchor="end" paint-order="stroke" stroke="white"'),
        lambda svg: svg.replace("latency [ms]", "latency"),
        lambda svg: svg.replace("mouse on onnx", "mouse on onnx " * 20),
        lambda svg: svg.replace('y="52.0"', 'y="36.0"'),
    ],
    ids=["style", "baseline", "outline", "unit", "too long", "overlap"],
)
def test_what_cannot_be_read_is_noticed(change: Callable[[str], str]) -> None:
    picture = latency([0.01, 0.02])
    check_picture(picture)
    with pytest.raises(AssertionError):
        check_picture(change(picture))


def test_text_is_wrapped_and_shortened_to_a_width() -> None:
    lines = wrap(REASON + "x" * 300, 200)
    assert "".join("".join(lines).split()) == "".join((REASON + "x" * 300).split())
    assert all(text_width(line, 12) <= 200 for line in lines)
    short = shorten(FILE.name, 200)
    assert text_width(short, 12) <= 200
    assert short.startswith("a-model")
    assert short.endswith(".onnx")
    assert shorten("short", 200) == "short"


@pytest.mark.parametrize(("low", "high"), [(0.01, 1.0), (3.0, 4.0), (0.01, 1e7), (1.0, 500.0), (0.9, 1.1)])
def test_ticks_of_a_logarithmic_axis_are_round_and_few(low: float, high: float) -> None:
    values = log_ticks(low, high)
    assert 2 <= len(values) <= 7
    assert all(low * 0.999 <= value <= high * 1.001 for value in values)
