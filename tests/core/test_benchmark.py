"""Benchmarks: interleaved turns, failures, and the list of candidates."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import (
    Exporter,
    ExporterInfo,
    ModelCard,
    ModelError,
    Network,
    PluginCatalog,
    PluginError,
    RuntimeInfo,
    UnsupportedModelError,
    UsageError,
)
from dlclive_core.benchmark import Candidate, FollowingCropSpec, compare_poses, measure
from dlclive_core.benchmark.candidate_list import ViewSpec
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.peak import Peak
from dlclive_core.benchmark.result import Benchmark
from dlclive_core.benchmark.run import BenchmarkPlan, format_duration, run_benchmark_plan
from dlclive_core.benchmark.runtime_request import parse_runtime_requests
from dlclive_core.models.network import Setting
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel, BlobSource

CALLS: list[tuple[str, int]] = []
"""(runtime, frame number) of each network call; the number is encoded in the frame's corner."""


class Blobs(Network):
    """Reads its behaviour from JSON. `off`: error in pixels in precisions other than fp32; `fails`: the call that raises."""

    runtime = "blobs"

    def __init__(self, path: Path, *, device: str = "auto", precision: str = "auto") -> None:
        values = json.loads(path.read_text())
        self._off = values.get("off", 0.0) if precision != "fp32" else 0.0
        self._fails, self._error = values.get("fails", -1), values.get("error", "RuntimeError")
        if self._fails == 0:
            raise MemoryError
        self._blobs, self._count = BlobModel(delay=values.get("sleep", 0.0)), 0
        self.card = replace(self._blobs.card, precision=values.get("precision", "fp32"))
        self.device = values.get("runs_on", f"{device} (a test)")

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        return [Setting("cpu", name) for name in json.loads(path.read_text()).get("can", ["fp32"])]

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        self._count += 1
        if self._count == self._fails:
            raise {"MemoryError": MemoryError, "RuntimeError": RuntimeError}[self._error]("no more\nof it")
        CALLS.append((self.runtime, int(images[0, 0, 0, 0])))
        points = np.stack([self._blobs.predict(image).keypoints for image in images])
        points[..., 0] += self._off
        return {"keypoints": points}

    def operations(self, images: np.ndarray) -> float:
        return float(images.size)


class Others(Blobs):
    runtime = "others"

    def operations(self, images: np.ndarray) -> float:
        return float("nan")


class Rewrite(Exporter):
    """Writes the source's "then" values, or fails in the precisions listed under "cannot"."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        values = json.loads(source.read_text())
        if precision in values.get("cannot", []):
            raise ModelError(f"no {precision} today")
        target.write_text(json.dumps({**values.get("then", {}), "precision": precision, "can": [precision]}))
        return replace(BlobModel().card, precision=precision)


@pytest.fixture
def catalog() -> PluginCatalog:
    infos = (
        RuntimeInfo(name="blobs", summary="", factory=f"{__name__}:Blobs", reads=(".blob",)),
        RuntimeInfo(name="others", summary="", factory=f"{__name__}:Others", reads=(".other",)),
        RuntimeInfo(name="absent", summary="", factory="no:way", reads=(".blob",), requires=("no_such_library",)),
        ExporterInfo(name="e", summary="", factory=f"{__name__}:Rewrite", reads=".blob", writes=".other",
                     precisions=("fp32", "int8")),
    )  # fmt: skip
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=infos)])


@pytest.fixture
def file(tmp_path: Path):
    """Writes a model file with the given behaviour; see Blobs."""

    def write(**values: object) -> Path:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.blob"
        path.write_text(json.dumps(values))
        return path

    return write


@pytest.fixture
def frames() -> list[np.ndarray]:
    """Twenty frames with their number in the upper left pixel."""
    source = BlobSource(frames=20)
    images = [source.draw(index) for index in range(20)]
    for number, image in enumerate(images):
        image[0, 0] = number
    return images


def measure_with_even_times(candidates: Sequence[Candidate], images: Sequence[np.ndarray], **options: object) -> list:
    """Real measurements with invented times: a machine that is busy for a moment makes real ones doubtful."""
    results = measure(candidates, images, **options)
    return [replace(result, times=np.full(len(result.times), 0.01)) for result in results]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    monkeypatch.setattr("dlclive_core.benchmark.run.measure", measure_with_even_times)
    monkeypatch.setattr(
        "dlclive_core.benchmark.run.measure_peak", lambda device, catalog: Peak({"fp32": 1e15, "int8": 4e15}, "made up")
    )


def candidate(path: Path, **changes: object) -> Candidate:
    return Candidate(**{"runtime": "blobs", "precision": "fp32", "device": "cpu", "path": path, **changes})


# interleaving


def test_candidates_take_turns_block_by_block_on_the_same_frames(file, frames, catalog) -> None:
    first, second = candidate(file()), candidate(file(), resize=0.5)
    turns = []
    results = measure([first, second], frames, rounds=2, warmup=0, block=8, on_progress=turns.append, catalog=catalog)
    assert [len(item.times) for item in results] == [40, 40]
    assert [turn.done for turn in turns] == list(range(1, 15))
    assert {turn.total for turn in turns} == {14}
    order = [turn.label for turn in turns[2:]]
    assert order[:4] == [first.label, second.label, second.label, first.label]  # the order rotates
    assert sorted(order[:2]) == sorted(order[2:4]) == sorted(order[4:6])


def test_each_turn_starts_with_an_untimed_call(file, frames, catalog) -> None:
    (results,) = measure([candidate(file())], frames, warmup=2, block=8, catalog=catalog)
    first, warm, settling = [0], [1, 2], [0, 8, 16]
    assert len(CALLS) == len(first) + len(warm) + len(settling) + 20
    assert [number for _, number in CALLS[:5]] == [0, 1, 2, 0, 0]
    assert len(results.times) == 20
    assert np.isfinite(results.first)
    assert len(results.with_first) == 21


def test_poses_are_in_frame_pixels_for_every_view(file, frames, catalog) -> None:
    views = [
        {},
        {"resize": 0.5},
        {"size": (160, 90)},
        {"cropping": (4, 156, 2, 118)},
        {"follow": FollowingCropSpec(threshold=0.5, margin=30, window=(150, 112))},
    ]
    path = file()
    results = measure([candidate(path, **view) for view in views], frames, catalog=catalog)
    for item in results:
        assert not item.failure
        error = compare_poses(results[0].poses, item.poses)
        assert error.keypoints == 60
        assert error.max_px < 1.5, item.candidate.label
    assert [item.input_size for item in results[:4]] == [(160, 120), (80, 60), (160, 90), (152, 116)]
    assert results[2].candidate.label == "blobs:fp32:cpu at 160x90"
    assert results[1].candidate.label == "blobs:fp32:cpu at 0.5"


def test_a_following_window_restarts_each_round_and_counts_searches(file, catalog) -> None:
    source = BlobSource(frames=20, visible=0.5)  # absent from the second half of every ten frames
    frames = [source.draw(index) for index in range(20)]
    follow = candidate(file(), follow=FollowingCropSpec(margin=40))
    (results,) = measure([follow], frames, rounds=3, warmup=0, catalog=catalog)
    assert results.searched == 5 + 4  # lost in frame 5: frames 6 to 10 are searched whole; then 16 to 19
    assert len(results.times) == 60
    assert results.input_size == (160, 120)


def test_raw_calls_alternate_with_full_calls(file, frames, catalog) -> None:
    (results,) = measure([candidate(file())], frames[:4], warmup=0, raw_call=True, catalog=catalog)
    assert len(results.raw_call) == len(results.times) == 4
    assert [number for _, number in CALLS[2:]] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert np.isfinite(results.overhead)
    assert np.isfinite(results.overhead_seconds)


def test_replayed_frames_are_processed_or_dropped(file, frames, catalog) -> None:
    slow, quick = candidate(file(sleep=0.03)), candidate(file())
    results = measure([slow, quick], frames, warmup=0, rate=100.0, catalog=catalog)
    assert [len(item.lateness) + item.dropped for item in results] == [20, 20]
    assert results[0].dropped >= 10  # a call takes at least three frame intervals
    assert results[0].lateness.min() >= 0.03
    assert results[1].lateness.min() < results[0].lateness.min()
    assert [len(item.times) for item in results] == [20, 20]
    (single,) = measure([quick], frames, catalog=catalog)
    assert (len(single.lateness), single.dropped) == (0, 0)


def test_a_failure_is_recorded_and_the_others_continue(file, frames, catalog) -> None:
    good, failing = candidate(file()), candidate(file(fails=15, error="MemoryError"))
    never, unknown = candidate(file(fails=0)), candidate(file(), options={"colour": 1})
    results = measure([never, failing, unknown, good], frames, rounds=1, catalog=catalog)
    assert results[0].failure.startswith("out of memory")
    assert results[0].card is None
    assert results[1].failure == "out of memory: MemoryError: no more of it"
    assert 0 < len(results[1].times) < 20
    assert results[1].poses == ()
    assert "has no option 'colour'" in results[2].failure
    assert not results[3].failure
    assert len(results[3].poses) == 20
    assert np.isnan(results[0].p50)
    assert np.isnan(results[0].fps)


def test_invalid_measurement_arguments_are_refused(file, catalog, frames) -> None:
    for arguments in ({"frames": []}, {"rounds": 0}, {"block": 0}, {"warmup": -1}, {"rate": 0.0}):
        with pytest.raises(UsageError, match="a measurement needs frames"):
            measure([candidate(file())], **{"frames": frames, "catalog": catalog, **arguments})


# candidates


@pytest.fixture
def plan(frames):
    def make(
        model: Path, runtimes: Sequence[str] = (), precisions: Sequence[str] = (), **more: object
    ) -> BenchmarkPlan:
        catalog = more.pop("catalog")
        requests = parse_runtime_requests(runtimes, precisions, None, catalog)
        return BenchmarkPlan(
            model=model, clip=Clip("blobs", tuple(frames[:6]), 30.0, 6), requests=requests, warmup=0, **more
        )

    return make


def labels(benchmark: Benchmark) -> list[str]:
    return [row.measurement.candidate.label for row in benchmark.rows]


def test_all_available_settings_are_measured_by_default(file, plan, catalog) -> None:
    messages: list[str] = []
    model = file(can=["fp32", "bf16"], off=2.0, then={"off": 7.0})
    calibration = [np.zeros((120, 160, 3), np.uint8), *(BlobSource(frames=20).draw(index) for index in range(19))]
    full_plan = plan(model, views=[ViewSpec(), ViewSpec(resize=0.5)], calibration=lambda: calibration, catalog=catalog)
    benchmark = run_benchmark_plan(full_plan, catalog=catalog, report_step=messages.append)
    settings = ("blobs:fp32:cpu", "blobs:bf16:cpu", "others:fp32:cpu", "others:int8:cpu")
    assert labels(benchmark) == [f"{setting}{view}" for setting in settings for view in ("", " at 0.5")]
    rows = {row.measurement.candidate.label: row for row in benchmark.rows}
    assert {row.verdict.state for row in benchmark.rows} == {"ok"}
    assert rows["blobs:fp32:cpu"].accuracy.max_px == 0
    assert rows["blobs:bf16:cpu"].accuracy.median_px == pytest.approx(2, abs=0.01)
    assert rows["others:int8:cpu"].accuracy.flips == 18  # 3 keypoints in 6 frames, all 7 px off
    assert rows["others:fp32:cpu"].operations == 120 * 160 * 3  # counted by the runtime that can
    assert rows["others:fp32:cpu at 0.5"].operations == 60 * 80 * 3
    row = rows["blobs:fp32:cpu"]
    assert row.share_of_peak == pytest.approx(row.operations / row.measurement.p50 / 1e15)
    assert benchmark.reference == "blobs:fp32:cpu"
    assert sum("exporting" in line for line in messages) == 2  # once per format and precision, not per view
    assert not list(Path(rows["others:fp32:cpu"].measurement.candidate.path).parent.parent.glob("*"))


def test_an_estimate_precedes_the_measurement(file, plan, frames, catalog) -> None:
    estimates: list[float] = []
    slow, broken = candidate(file(sleep=0.02)), candidate(file(fails=1))
    calls_before: list[int] = []

    def on_estimate(seconds: float) -> None:
        estimates.append(seconds)
        calls_before.append(len(CALLS))

    measure([slow, broken], frames, rounds=2, raw_call=True, rate=100.0, on_estimate=on_estimate, catalog=catalog)
    (seconds,) = estimates
    assert seconds >= 2 * 2 * 20 * 0.02 + 2 * 20 / 100.0  # rounds, raw calls, frames; and two replays of 20 frames
    assert calls_before == [4]  # the first inference and the warm-up, nothing else
    lines: list[str] = []
    run_benchmark_plan(plan(file(), ["blobs"], catalog=catalog), catalog=catalog, report_step=lines.append)
    assert lines[-2] == "loading 1 candidate on 6 frames, 1 round"
    assert re.fullmatch(r"measuring 1 candidate on 6 frames, 1 round: about \d+ (s|min)", lines[-1])
    assert [format_duration(value) for value in (0.01, 42, 600, 9000)] == ["1 s", "42 s", "10 min", "2.5 h"]


def test_runtimes_and_precisions_select_candidates(file, plan, catalog) -> None:
    model = file(can=["fp32", "bf16"])
    assert labels(run_benchmark_plan(plan(model, ["blobs:bf16:cpu"], catalog=catalog), catalog=catalog)) == [
        "blobs:bf16:cpu"
    ]
    assert labels(run_benchmark_plan(plan(model, [], ["bf16"], catalog=catalog), catalog=catalog)) == ["blobs:bf16:cpu"]
    both = plan(model, ["blobs:bf16", "blobs"], catalog=catalog)
    assert labels(run_benchmark_plan(both, catalog=catalog)) == ["blobs:bf16:cpu", "blobs:fp32:cpu"]


def test_the_reference_is_run_separately_if_not_requested(file, plan, catalog) -> None:
    benchmark = run_benchmark_plan(
        plan(file(can=["fp32", "bf16"], off=3.0), ["blobs:bf16"], catalog=catalog), catalog=catalog
    )
    assert benchmark.reference == "blobs:fp32:cpu, run separately"
    assert benchmark.rows[0].accuracy.median_px == pytest.approx(3, abs=0.01)


def test_errors_of_an_int8_model_need_its_fp32_source(file, plan, catalog) -> None:
    model = file(precision="int8", can=["int8"], off=1.0)
    single = run_benchmark_plan(plan(model, ["blobs"], catalog=catalog), catalog=catalog)
    assert single.rows[0].accuracy is None
    assert "pass its fp32 source with --reference" in single.reference
    known = run_benchmark_plan(plan(model, ["blobs"], reference=file(), catalog=catalog), catalog=catalog)
    assert known.rows[0].accuracy.median_px == pytest.approx(1, abs=0.01)


def test_a_failed_export_is_a_row(file, plan, catalog) -> None:
    benchmark = run_benchmark_plan(
        plan(file(cannot=["fp32"]), ["blobs", "others:fp32"], catalog=catalog), catalog=catalog
    )
    assert [row.verdict.label for row in benchmark.rows] == ["ok", "failed: no fp32 today"]
    assert benchmark.has_usable_rows
    failed = run_benchmark_plan(plan(file(fails=2), ["blobs"], catalog=catalog), catalog=catalog)
    assert not failed.has_usable_rows


def test_no_export_begins_when_the_time_is_over(file, catalog, frames, tmp_path) -> None:
    lines: list[str] = []
    time_left = [True]
    exports = Exports(file(), tmp_path, frames, None, catalog, lines.append, may_begin=lambda: time_left[0])
    first = exports.file(".other", "fp32", None)
    time_left[0] = False
    assert exports.file(".other", "fp32", None) == first
    with pytest.raises(UsageError, match="not exported, as the time was over: increase --seconds"):
        exports.file(".other", "int8", None)
    assert sum("exporting" in line for line in lines) == 1


def test_impossible_requests_are_refused(file, plan, catalog) -> None:
    with pytest.raises(UsageError, match="no precision 'fp33': did you mean 'fp3"):
        parse_runtime_requests(["blobs:fp33"], [], None, catalog)
    with pytest.raises(PluginError, match="no runtime 'blops': did you mean 'blobs'"):
        parse_runtime_requests(["blops"], [], None, catalog)
    with pytest.raises(PluginError, match="no_such_library, not installed"):
        parse_runtime_requests(["absent"], [], None, catalog)
    model = file()
    with pytest.raises(UsageError, match="blobs can run this model here as blobs:fp32:cpu"):
        run_benchmark_plan(plan(model, ["blobs:fp16"], catalog=catalog), catalog=catalog)
    with pytest.raises(UsageError, match=r"nothing here runs .* in bf16"):
        run_benchmark_plan(plan(model, [], ["bf16"], catalog=catalog), catalog=catalog)
    with pytest.raises(UsageError, match="blobs can run this model here"):
        run_benchmark_plan(plan(model, ["blobs:fp32:cuda"], catalog=catalog), catalog=catalog)
    (plugin,) = catalog.plugins
    single = PluginCatalog([replace(plugin, components=plugin.components[:1])])
    with pytest.raises(UnsupportedModelError, match="no installed runtime can run"):
        run_benchmark_plan(plan(file(can=[]), catalog=single), catalog=single)


def test_int8_without_a_clip_is_a_note_or_a_failed_row(file, plan, catalog) -> None:
    model = file()
    default = run_benchmark_plan(plan(model, catalog=catalog), catalog=catalog)
    assert [note for note in default.notes if "int8 was not tried" in note]
    requested = run_benchmark_plan(plan(model, ["others:int8"], catalog=catalog), catalog=catalog)
    assert requested.rows[0].verdict.label == "failed: int8 needs calibration: pass a video of the animal"
