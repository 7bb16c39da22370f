"""The search and its selection, on synthetic measurements and on networks with known errors. No time is measured here."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import (
    DataError,
    ModelCard,
    ModelError,
    Network,
    OutputExistsError,
    PluginCatalog,
    Pose,
    RuntimeInfo,
    Setting,
    Skeleton,
    UnsupportedModelError,
    UsageError,
    load_model,
)
from dlclive_core.benchmark import measure
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.profiles import profile_path, read_profile
from dlclive_core.testing import BlobModel, BlobSource
from dlclive_core.tuning import (
    Budget,
    ClipSplit,
    SearchResult,
    TunePlan,
    check_plan,
    check_profile_path,
    save_profile,
    search,
    split_clip,
    split_unseen,
)
from dlclive_core.tuning.trial import count_lost
from dlclive_core.tuning.window_sizes import windows


def pose(*points: tuple[float, float, float]) -> Pose:
    return Pose(np.asarray([points], np.float32), Skeleton(tuple("abcd"[: len(points)])))


def test_an_animal_is_lost_if_no_keypoint_is_found_in_place() -> None:
    reference = pose((10, 10, 0.9), (30, 10, 0.9))
    unsure, partial = pose((10, 10, 0.2), (30, 10, 0.3)), pose((10, 10, 0.9), (30, 10, 0.2))
    elsewhere, nothing = pose((80, 80, 0.9), (90, 80, 0.9)), Pose.missing(reference.skeleton)
    assert count_lost([reference] * 5, [reference, unsure, elsewhere, nothing, partial]) == 3
    assert count_lost([unsure, nothing], [nothing, elsewhere]) == 0  # the reference does not know the position


def test_windows_hold_the_animal_and_its_movement() -> None:
    poses = [pose((100 + 4 * k, 100, 0.9), (140 + 4 * k, 120, 0.9), (0, 0, 0.1)) for k in range(20)]
    follows = windows(poses, (640, 480))
    sides = [follow.window for follow in follows]
    # animal of 40 x 20, margin 2 * (4 + 16), alignment 32; then growing, twice as fast in length
    assert sides == [(128, 96), (160, 128), (192, 160), (224, 160)]
    assert all(follow.at_once and follow.align == 32 and follow.rotates for follow in follows)
    assert windows(poses, (110, 100)) == []  # the animal fills the frame
    assert windows([Pose.missing(poses[0].skeleton)] * 3, (640, 480)) == []


def test_the_budget_gives_the_number_of_repetitions() -> None:
    now = [0.0]
    budget = Budget(10, lambda: now[0])
    assert budget.fits(0.5, 0.5, 1, 100) == 10
    now[0] = 9.0
    assert (budget.fits(0.5, 0.5, 1, 100), budget.fits(0.5, 0.5, 4, 100)) == (1, 4)
    now[0] = 99.0
    assert (budget.left, budget.fits(0.5, 1, 2, 9)) == (0, 2)


def test_a_clip_is_split_without_overlap() -> None:
    source = BlobSource(frames=100)
    frames = split_clip(lambda: BlobSource(frames=100), 30)
    assert len(frames.evaluated) == 30
    assert np.array_equal(frames.evaluated[29], source.draw(29))
    assert len(frames.calibration) == 70
    assert np.array_equal(frames.calibration[0], source.draw(30))
    short = split_clip(lambda: BlobSource(frames=40), 30)
    assert (len(short.evaluated), len(short.calibration)) == (20, 20)
    assert np.array_equal(short.calibration[0], source.draw(20))
    with pytest.raises(DataError, match=r"has 12 frames; tuning needs a clip of at least 20"):
        split_clip(lambda: BlobSource(frames=12), 30)


def test_a_student_is_measured_on_frames_that_it_has_not_seen() -> None:
    source = BlobSource(frames=100)
    frames = split_unseen(lambda: BlobSource(frames=100), 15 + 10, 70)
    assert len(frames.evaluated) == 25
    assert np.array_equal(frames.evaluated[0], source.draw(70))
    assert len(frames.calibration) == 70
    assert np.array_equal(frames.calibration[-1], source.draw(69))
    assert frames.name == source.name
    assert len(split_unseen(lambda: BlobSource(frames=100), 200, 70).evaluated) == 30
    with pytest.raises(DataError, match=r"has 10 frames that the student has not seen; tuning needs at least 20"):
        split_unseen(lambda: BlobSource(frames=100), 30, 90)


# ---- networks with known errors, in a catalog of their own

SHIFT = {"fp32": 0.0, "bf16": 0.2, "int8": 3.0}
MS = {"fp32": 50.0, "bf16": 20.0, "int8": 5.0}
KEYPOINTS = 2


class Known(Network):
    """Finds discs, off by a known distance in each precision."""

    runtime = "known"
    broken: tuple[str, ...] = ()

    def __init__(self, path, *, device: str = "auto", precision: str = "auto", threads: int = 2) -> None:
        if precision in self.broken:
            raise ModelError(f"no {precision} today")
        self._model = BlobModel(KEYPOINTS)
        self._shift = SHIFT[precision if precision != "auto" else "fp32"]
        self.card = ModelCard(net_type="known", skeleton=self._model.card.skeleton)

    @classmethod
    def settings(cls, path):
        return [Setting("cpu", precision) for precision in SHIFT]

    def run(self, images, conditions=None):
        points = np.stack([self._model.predict(image).keypoints for image in images])
        points[..., 0] += self._shift
        return {"keypoints": points.astype(np.float32)}


class Blind(Known):
    """Finds nothing."""

    def run(self, images, conditions=None):
        points = super().run(images)["keypoints"]
        points[..., :2], points[..., 2] = np.nan, 0
        return {"keypoints": points}


def catalog(factory: str = "Known", options: tuple[str, ...] = ("threads",)) -> PluginCatalog:
    part = RuntimeInfo(
        name="known", summary="", factory=f"{__name__}:{factory}", reads=(".known",), profile_options=options
    )
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=(part,))])


def measure_with_synthetic_times(candidates, frames, **arguments):
    """Real poses with synthetic times, which depend on precision, input area and thread count."""
    measurements = []
    for measurement in measure(candidates, frames, **arguments):
        area = 0.1 if measurement.candidate.follow is not None else measurement.candidate.resize**2
        ms = MS[measurement.candidate.precision] * area * (2 if measurement.candidate.options else 1)
        measurements.append(replace(measurement, times=np.full(len(measurement.times), ms / 1000)))
    return measurements


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "mouse.known"
    file.write_bytes(b"a network")
    return file


def plan(model: Path, **changes) -> TunePlan:
    source = BlobSource(frames=60, size=(400, 300), keypoints=KEYPOINTS)
    images = tuple(source.draw(index) for index in range(60))
    values = {
        "source": model,
        "card": Known(model).card,
        "frames": ClipSplit("blobs", images[:40], images[40:]),
        **changes,
    }
    return TunePlan(**values)


def search_result(model: Path, tmp_path: Path, factory: str = "Known", **changes) -> SearchResult:
    folder = tmp_path / "exports"
    folder.mkdir(exist_ok=True)
    return search(
        plan(model, **changes), folder, catalog=catalog(factory), measure_candidates=measure_with_synthetic_times
    )


def test_a_search_finds_the_fastest_within_the_bound(model: Path, tmp_path: Path) -> None:
    result = search_result(model, tmp_path)
    winner = result.winner.candidate
    assert winner.precision == "bf16"  # int8 is faster but off by 3 px
    assert winner.follow is not None
    assert result.winner.final
    assert result.winner.p95_px == pytest.approx(0.2, abs=0.15)
    assert result.winner.frames == 40
    assert result.reference == "known:fp32:cpu"
    assert result.confident == 80
    assert result.table[0] is result.winner
    labels = [item.candidate.label for item in result.table]
    assert len(labels) == len(set(labels))
    assert any(item.candidate.resize == 0.5 for item in result.table)
    assert any(item.candidate.options for item in result.table)


def test_threads_are_not_tried_if_a_profile_could_not_keep_them(model: Path, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    result = search(
        plan(model),
        tmp_path / "exports",
        catalog=catalog(options=()),
        measure_candidates=measure_with_synthetic_times,
    )
    assert not any(item.candidate.options for item in result.table)


def test_a_strict_bound_selects_fp32(model: Path, tmp_path: Path) -> None:
    assert search_result(model, tmp_path, max_error=0.1).winner.candidate.precision == "fp32"


def test_a_candidate_that_does_not_load_is_a_row_with_the_reason(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Known, "broken", ("bf16",))
    result = search_result(model, tmp_path)
    assert result.winner.candidate.precision == "fp32"
    (row,) = [item for item in result.table if item.failure]
    assert row.table_row(0.5).why == "no bf16 today"
    assert row.table_row(0.5).p50_ms is None


def test_a_clip_without_an_animal_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"finds 0 confident keypoints in 40 frames of blobs.*shows the animal"):
        search_result(model, tmp_path, "Blind")


def test_models_of_several_animals_get_no_window(model: Path, tmp_path: Path) -> None:
    card = Known(model).card.with_(individuals=("a", "b"), multi_animal=True)
    result = search_result(model, tmp_path, card=card)
    assert len(result.table) > 1
    assert all(item.candidate.follow is None for item in result.table)


@pytest.mark.parametrize(
    ("pixels", "seconds", "message"), [(0, 9, "max-error"), (math.nan, 9, "max-error"), (1, 0, "seconds")]
)
def test_limits_out_of_range_are_refused(pixels: float, seconds: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_plan(pixels, seconds)


@pytest.mark.parametrize(
    ("change", "message"), [({"precision": "int8"}, "is in int8"), ({"method": "conditional"}, "one model")]
)
def test_models_that_cannot_be_tuned_are_refused(model: Path, change: dict, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        plan(model, card=Known(model).card.with_(**change))


# ---- the time budget and Ctrl-C


class Clock:
    """A clock that advances with what is measured, by the synthetic times."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("seconds", [3.0, 30.0, 300.0])
def test_what_is_measured_fits_into_the_time(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """A frame of the reference takes half a second here."""
    monkeypatch.setattr(f"{__name__}.MS", {"fp32": 500.0, "bf16": 200.0, "int8": 50.0})
    clock, lines = Clock(), []

    def measure_by_the_clock(candidates, frames, **arguments):
        measurements = measure_with_synthetic_times(candidates, frames, **arguments)
        clock.now += sum(float(measurement.times.sum()) for measurement in measurements)
        return measurements

    result = search(
        plan(model, seconds=seconds), tmp_path, catalog=catalog(), report_step=lines.append,
        budget=Budget(seconds, clock), measure_candidates=measure_by_the_clock,
    )  # fmt: skip
    least = 20 * 0.5 + 4 * 0.75 + 24 * 2.0  # the fewest frames of the three stages that a choice needs
    assert clock.now <= max(1.25 * seconds, least)
    assert all(f" s of {seconds:g} s: " in line for line in lines)
    assert any("about" in line for line in lines)
    used_fewer = any("of 40 frames were used" in note for note in result.notes)
    assert used_fewer == (seconds < 300)
    assert any("the reference alone took longer" in note for note in result.notes) == (seconds < 10)
    assert result.winner.candidate.precision == "bf16"


def interrupted_in(stage: int):
    """Ctrl-C in the nth call of `measure`."""
    calls = []

    def run(candidates, frames, **arguments):
        calls.append(candidates)
        if len(calls) == stage:
            raise KeyboardInterrupt
        return measure_with_synthetic_times(candidates, frames, **arguments)

    return run


@pytest.mark.parametrize("stage", [4, 5])
def test_ctrl_c_keeps_the_best_so_far(model: Path, tmp_path: Path, stage: int) -> None:
    result = search(plan(model), tmp_path, catalog=catalog(), measure_candidates=interrupted_in(stage))
    assert result.interrupted
    assert result.winner.is_within(0.5)
    assert result.winner.candidate.precision == "bf16"
    assert any(note.startswith("interrupted after") for note in result.notes)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_ctrl_c_before_anything_was_measured_ends_the_search(model: Path, tmp_path: Path, stage: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(plan(model), tmp_path, catalog=catalog(), measure_candidates=interrupted_in(stage))


@pytest.mark.parametrize(("average", "noted"), [([7.5, 1, 1], True), ([0.5, 9, 9], False), (None, False)])
def test_a_busy_machine_is_noted(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, average: list[float] | None, noted: bool
) -> None:
    monkeypatch.setattr("dlclive_core.machine.load.load", lambda: average)
    monkeypatch.setattr("dlclive_core.machine.load.usable_cores", lambda: 2)
    notes = search_result(model, tmp_path).notes
    assert any("other programs were running (load 7.5 on 2 cores)" in note for note in notes) == noted


# ---- saving


def test_load_model_uses_the_saved_profile(model: Path, tmp_path: Path) -> None:
    result = search_result(model, tmp_path)
    saved = save_profile(plan(model), result, "<svg/>", catalog())
    assert read_profile(profile_path(model)) == saved
    assert sorted(file.name for file in model.parent.iterdir() if file.is_file()) == [
        "mouse.known", "mouse.profile.json", "mouse.profile.svg",
    ]  # fmt: skip
    with load_model(model, catalog=catalog()) as loaded:
        assert loaded.profile == saved
        assert loaded.profile.follow == result.winner.candidate.follow
    assert saved.table[0].label == result.winner.candidate.label
    with pytest.raises(OutputExistsError, match="--overwrite"):
        check_profile_path(model, overwrite=False)
    check_profile_path(model, overwrite=True)


def test_an_exported_winner_is_saved_and_removed_with_its_profile(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    for name in ("mouse.known", "mouse.bin"):
        (exported / name).write_bytes(name.encode())
    result = search_result(model, tmp_path)
    other = replace(result.winner, candidate=replace(result.winner.candidate, path=exported / "mouse.known"))
    saved = save_profile(plan(model), replace(result, winner=other, table=(other,)), "<svg/>", catalog())
    folder = tmp_path / "mouse.dlclive" / "bf16-known"
    assert saved.variant is not None
    assert saved.variant.file == "mouse.dlclive/bf16-known/mouse.known"
    assert sorted(file.name for file in folder.iterdir()) == ["mouse.bin", "mouse.known"]
    assert load_model(model, catalog=catalog()).profile == saved
    (tmp_path / "mouse.dlclive" / "mine.txt").touch()
    save_profile(plan(model), result, "<svg/>", catalog())  # this winner needs no exported file
    assert not folder.exists()
    assert (tmp_path / "mouse.dlclive" / "mine.txt").exists()  # nothing else is touched
    assert load_model(model, catalog=catalog()).profile.variant is None


def test_saved_exports_are_not_taken_for_models_of_the_folder(model: Path, tmp_path: Path) -> None:
    saved = tmp_path / "project" / "train" / "mouse.dlclive" / "int8-known"
    saved.mkdir(parents=True)
    for folder in (saved, saved.parent.parent):
        (folder / "mouse.known").write_bytes(b"x")
    assert load_model(tmp_path / "project", catalog=catalog()).runtime == "known"
