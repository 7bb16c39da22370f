"""Measuring: who takes which turn, what becomes of failures, and which candidates there are."""

from __future__ import annotations

import json
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
from dlclive_core.benchmark.peak import Peak
from dlclive_core.benchmark.result import Benchmark
from dlclive_core.benchmark.run import Plan, run_plan
from dlclive_core.benchmark.runtime_request import parse_runtime_requests
from dlclive_core.models.network import Setting
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel, BlobSource

CALLS: list[tuple[str, int]] = []
"""Runtime, and the number of the frame that its network was given, as the frames' corners say."""


class Blobs(Network):
    """Reads a line of JSON. `off`: pixels that it is off in another precision than fp32; `fails`: the call that raises."""

    runtime = "blobs"

    def __init__(self, path: Path, *, device: str = "auto", precision: str = "auto") -> None:
        told = json.loads(path.read_text())
        self._off = told.get("off", 0.0) if precision != "fp32" else 0.0
        self._fails, self._error = told.get("fails", -1), told.get("error", "RuntimeError")
        if self._fails == 0:
            raise MemoryError
        self._blobs, self._count = BlobModel(delay=told.get("sleep", 0.0)), 0
        self.card = replace(self._blobs.card, precision=told.get("precision", "fp32"))
        self.device = told.get("runs_on", f"{device} (a test)")

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
    """Writes what the source says under "then", or fails as it says."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        told = json.loads(source.read_text())
        if precision in told.get("cannot", []):
            raise ModelError(f"no {precision} today")
        target.write_text(json.dumps({**told.get("then", {}), "precision": precision, "can": [precision]}))
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
    """A model that says of itself what is given."""

    def write(**told: object) -> Path:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.blob"
        path.write_text(json.dumps(told))
        return path

    return write


@pytest.fixture
def frames() -> list[np.ndarray]:
    """Twenty frames whose upper left corner is their number."""
    source = BlobSource(frames=20)
    images = [source.draw(index) for index in range(20)]
    for number, image in enumerate(images):
        image[0, 0] = number
    return images


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    monkeypatch.setattr(
        "dlclive_core.benchmark.run.measure_peak", lambda device, catalog: Peak({"fp32": 1e15, "int8": 4e15}, "made up")
    )


def candidate(path: Path, **changes: object) -> Candidate:
    return Candidate(**{"runtime": "blobs", "precision": "fp32", "device": "cpu", "path": path, **changes})


# taking turns


def test_candidates_take_turns_block_by_block_on_the_same_frames(file, frames, catalog) -> None:
    one, two = candidate(file()), candidate(file(), resize=0.5)
    turns = []
    found = measure([one, two], frames, rounds=2, warmup=0, block=8, on_progress=turns.append, catalog=catalog)
    assert [len(item.times) for item in found] == [40, 40]
    assert [turn.done for turn in turns] == list(range(1, 15))
    assert {turn.total for turn in turns} == {14}
    order = [turn.label for turn in turns[2:]]
    assert order[:4] == [one.label, two.label, two.label, one.label]  # who begins changes
    assert sorted(order[:2]) == sorted(order[2:4]) == sorted(order[4:6])


def test_each_turn_begins_with_a_call_that_is_not_timed(file, frames, catalog) -> None:
    (found,) = measure([candidate(file())], frames, warmup=2, block=8, catalog=catalog)
    first, warm, settling = [0], [1, 2], [0, 8, 16]
    assert len(CALLS) == len(first) + len(warm) + len(settling) + 20
    assert [number for _, number in CALLS[:5]] == [0, 1, 2, 0, 0]
    assert len(found.times) == 20
    assert np.isfinite(found.first)
    assert len(found.with_first) == 21


def test_poses_are_in_pixels_of_the_frame_whatever_the_network_saw(file, frames, catalog) -> None:
    ways = [
        {},
        {"resize": 0.5},
        {"size": (160, 90)},
        {"cropping": (4, 156, 2, 118)},
        {"follow": FollowingCropSpec(threshold=0.5, margin=30, window=(150, 112))},
    ]
    path = file()
    found = measure([candidate(path, **way) for way in ways], frames, catalog=catalog)
    for item in found:
        assert not item.failure
        error = compare_poses(found[0].poses, item.poses)
        assert error.keypoints == 60
        assert error.max_px < 1.5, item.candidate.label
    assert [item.seen for item in found[:4]] == [(160, 120), (80, 60), (160, 90), (152, 116)]
    assert found[2].candidate.label == "blobs:fp32:cpu at 160x90"
    assert found[1].candidate.label == "blobs:fp32:cpu at 0.5"


def test_a_window_that_follows_begins_each_round_anew_and_counts_what_it_lost(file, catalog) -> None:
    source = BlobSource(frames=20, visible=0.5)  # away in the second half of each ten
    frames = [source.draw(index) for index in range(20)]
    follow = candidate(file(), follow=FollowingCropSpec(margin=40))
    (found,) = measure([follow], frames, rounds=3, warmup=0, catalog=catalog)
    assert found.searched == 5 + 4  # lost in frame 5, so 6 to 10 are searched whole; 16 to 19
    assert len(found.times) == 60
    assert found.seen == (160, 120)


def test_bare_calls_take_turns_with_ours(file, frames, catalog) -> None:
    (found,) = measure([candidate(file())], frames[:4], warmup=0, raw_call=True, catalog=catalog)
    assert len(found.raw_call) == len(found.times) == 4
    assert [number for _, number in CALLS[2:]] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert np.isfinite(found.overhead)
    assert np.isfinite(found.overhead_seconds)


def test_frames_at_a_rate_are_taken_late_or_dropped_and_all_are_counted(file, frames, catalog) -> None:
    slow, quick = candidate(file(sleep=0.03)), candidate(file())
    found = measure([slow, quick], frames, warmup=0, rate=100.0, catalog=catalog)
    assert [len(item.late) + item.dropped for item in found] == [20, 20]
    assert found[0].dropped >= 10  # each takes the time of three frames at least
    assert found[0].late.min() >= 0.03
    assert found[1].late.min() < found[0].late.min()
    assert [len(item.times) for item in found] == [20, 20]
    (alone,) = measure([quick], frames, catalog=catalog)
    assert (len(alone.late), alone.dropped) == (0, 0)


def test_a_failure_is_a_text_and_the_others_go_on(file, frames, catalog) -> None:
    good, late = candidate(file()), candidate(file(fails=15, error="MemoryError"))
    never, unknown = candidate(file(fails=0)), candidate(file(), options={"colour": 1})
    found = measure([never, late, unknown, good], frames, rounds=1, catalog=catalog)
    assert found[0].failure.startswith("too little memory")
    assert found[0].card is None
    assert found[1].failure == "too little memory: MemoryError: no more of it"
    assert 0 < len(found[1].times) < 20
    assert found[1].poses == ()
    assert "has no option 'colour'" in found[2].failure
    assert not found[3].failure
    assert len(found[3].poses) == 20
    assert np.isnan(found[0].p50)
    assert np.isnan(found[0].fps)


def test_nothing_to_measure_on_is_an_error(file, catalog, frames) -> None:
    for how in ({"frames": []}, {"rounds": 0}, {"block": 0}, {"warmup": -1}, {"rate": 0.0}):
        with pytest.raises(UsageError, match="measuring takes frames"):
            measure([candidate(file())], **{"frames": frames, "catalog": catalog, **how})


# choosing


@pytest.fixture
def plan(frames):
    def make(model: Path, words: Sequence[str] = (), precisions: Sequence[str] = (), **more: object) -> Plan:
        catalog = more.pop("catalog")
        requests = parse_runtime_requests(words, precisions, None, catalog)
        return Plan(model=model, clip=Clip("blobs", tuple(frames[:6]), 30.0, 6), requests=requests, warmup=0, **more)

    return make


def labels(benchmark: Benchmark) -> list[str]:
    return [row.measurement.candidate.label for row in benchmark.rows]


def test_by_default_everything_that_there_is(file, plan, catalog) -> None:
    told: list[str] = []
    model = file(can=["fp32", "bf16"], off=2.0, then={"off": 7.0})
    calibration = [np.zeros((120, 160, 3), np.uint8), *(BlobSource(frames=20).draw(index) for index in range(19))]
    made = plan(model, views=[ViewSpec(), ViewSpec(resize=0.5)], calibration=lambda: calibration, catalog=catalog)
    benchmark = run_plan(made, catalog=catalog, tell=told.append)
    ways = ("blobs:fp32:cpu", "blobs:bf16:cpu", "others:fp32:cpu", "others:int8:cpu")
    assert labels(benchmark) == [f"{way}{view}" for way in ways for view in ("", " at 0.5")]
    rows = {row.measurement.candidate.label: row for row in benchmark.rows}
    assert {row.verdict.state for row in benchmark.rows} <= {"ok", "doubtful"}
    assert rows["blobs:fp32:cpu"].accuracy.max_px == 0
    assert rows["blobs:bf16:cpu"].accuracy.median_px == pytest.approx(2, abs=0.01)
    assert rows["others:int8:cpu"].accuracy.flips == 18  # 3 keypoints in 6 frames, all 7 px off
    assert rows["others:fp32:cpu"].operations == 120 * 160 * 3  # counted by the runtime that can
    assert rows["others:fp32:cpu at 0.5"].operations == 60 * 80 * 3
    row = rows["blobs:fp32:cpu"]
    assert row.share == pytest.approx(row.operations / row.measurement.p50 / 1e15)
    assert benchmark.reference == "blobs:fp32:cpu"
    assert sum("exporting" in line for line in told) == 2  # once for each format and precision, not for each view
    assert not list(Path(rows["others:fp32:cpu"].measurement.candidate.path).parent.parent.glob("*"))


def test_words_choose(file, plan, catalog) -> None:
    model = file(can=["fp32", "bf16"])
    assert labels(run_plan(plan(model, ["blobs:bf16:cpu"], catalog=catalog), catalog=catalog)) == ["blobs:bf16:cpu"]
    assert labels(run_plan(plan(model, [], ["bf16"], catalog=catalog), catalog=catalog)) == ["blobs:bf16:cpu"]
    both = plan(model, ["blobs:bf16", "blobs"], catalog=catalog)
    assert labels(run_plan(both, catalog=catalog)) == ["blobs:bf16:cpu", "blobs:fp32:cpu"]


def test_the_reference_is_run_where_it_was_not_asked_for(file, plan, catalog) -> None:
    benchmark = run_plan(plan(file(can=["fp32", "bf16"], off=3.0), ["blobs:bf16"], catalog=catalog), catalog=catalog)
    assert benchmark.reference == "blobs:fp32:cpu, run once for this"
    assert benchmark.rows[0].accuracy.median_px == pytest.approx(3, abs=0.01)


def test_of_a_model_in_eight_bits_no_error_is_known_without_its_source(file, plan, catalog) -> None:
    model = file(precision="int8", can=["int8"], off=1.0)
    alone = run_plan(plan(model, ["blobs"], catalog=catalog), catalog=catalog)
    assert alone.rows[0].accuracy is None
    assert "was not given with --reference" in alone.reference
    known = run_plan(plan(model, ["blobs"], reference=file(), catalog=catalog), catalog=catalog)
    assert known.rows[0].accuracy.median_px == pytest.approx(1, abs=0.01)


def test_an_export_that_fails_is_a_row(file, plan, catalog) -> None:
    benchmark = run_plan(plan(file(cannot=["fp32"]), ["blobs", "others:fp32"], catalog=catalog), catalog=catalog)
    assert [row.verdict.label for row in benchmark.rows] == ["ok", "failed: no fp32 today"]
    assert benchmark.stands
    failed = run_plan(plan(file(fails=2), ["blobs"], catalog=catalog), catalog=catalog)
    assert not failed.stands


def test_wishes_that_cannot_be(file, plan, catalog) -> None:
    with pytest.raises(UsageError, match="no precision 'fp33': did you mean 'fp3"):
        parse_runtime_requests(["blobs:fp33"], [], None, catalog)
    with pytest.raises(PluginError, match="no runtime 'blops': did you mean 'blobs'"):
        parse_runtime_requests(["blops"], [], None, catalog)
    with pytest.raises(PluginError, match="no_such_library, not installed"):
        parse_runtime_requests(["absent"], [], None, catalog)
    model = file()
    with pytest.raises(UsageError, match="blobs can run this model here as blobs:fp32:cpu"):
        run_plan(plan(model, ["blobs:fp16"], catalog=catalog), catalog=catalog)
    with pytest.raises(UsageError, match=r"nothing here runs .* in bf16"):
        run_plan(plan(model, [], ["bf16"], catalog=catalog), catalog=catalog)
    with pytest.raises(UsageError, match="blobs can run this model here"):
        run_plan(plan(model, ["blobs:fp32:cuda"], catalog=catalog), catalog=catalog)
    (plugin,) = catalog.plugins
    alone = PluginCatalog([replace(plugin, components=plugin.components[:1])])
    with pytest.raises(UnsupportedModelError, match="nothing that is installed can run"):
        run_plan(plan(file(can=[]), catalog=alone), catalog=alone)


def test_int8_without_a_clip_is_told_and_with_words_is_an_error_in_its_row(file, plan, catalog) -> None:
    model = file()
    silent = run_plan(plan(model, catalog=catalog), catalog=catalog)
    assert [note for note in silent.notes if "int8 was not tried" in note]
    asked = run_plan(plan(model, ["others:int8"], catalog=catalog), catalog=catalog)
    assert asked.rows[0].verdict.label == "failed: int8 is calibrated on a clip of the animal: give a video"
