"""What is tried and taken: on made-up measurements, and on networks whose errors are known. No time is measured here."""

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
from dlclive_core.benchmark import Candidate, measure
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.profiles import profile_path, read_profile
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.testing import BlobModel, BlobSource
from dlclive_core.tuning import (
    Budget,
    ClipSplit,
    SearchResult,
    Trial,
    TunePlan,
    check_plan,
    check_profile_path,
    save_profile,
    search,
    split_clip,
)
from dlclive_core.tuning.selection import latest_trials, select_finalists, select_winner, sort_for_table, worth_resizing
from dlclive_core.tuning.trial import count_lost
from dlclive_core.tuning.window_sizes import windows

FILE = Path("m.known")
WINDOW = FollowingCropSpec(window=(64, 64), at_once=True)


def tried(
    ms: float, px: float, precision: str = "fp32", *, final: bool = True, p99: float | None = None, **how
) -> Trial:
    failure = how.pop("failure", "")
    candidate = Candidate(runtime="known", precision=precision, device="cpu", path=FILE, **how)
    slow = ms if p99 is None else p99
    return Trial(candidate=candidate, p50=ms / 1000, p99=slow / 1000, p95_px=px, frames=9, failure=failure, final=final)


SAFE = tried(50, 0.0)
HALF = tried(20, 0.2, "bf16", p99=90)
SMALL = tried(10, 0.9, "bf16", resize=0.5)
FOLLOWING = tried(5, 0.4, "bf16", follow=WINDOW)
BROKEN = tried(math.nan, math.nan, "int8", failure="no")


def test_the_winner_is_the_quickest_within_the_error() -> None:
    assert select_winner([SAFE, HALF, SMALL, FOLLOWING, BROKEN], "p50", 0.5) == (FOLLOWING, "")
    assert select_winner([SAFE, HALF, SMALL, BROKEN], "p50", 0.5) == (HALF, "")
    assert select_winner([SAFE, HALF, SMALL, BROKEN], "p50", 1.0) == (SMALL, "")


def test_by_the_goal_that_was_asked_for() -> None:
    assert select_winner([SAFE, HALF], "p50", 0.5)[0] is HALF
    assert select_winner([SAFE, HALF], "p99", 0.5)[0] is SAFE


def test_only_finalists_win() -> None:
    assert select_winner([SAFE, replace(HALF, final=False)], "p50", 0.5)[0] is SAFE


@pytest.mark.parametrize("px", [0.7, math.inf, math.nan])
def test_where_nothing_is_within_the_error_the_safest_is_taken_and_said(px: float) -> None:
    safe, slower = replace(SAFE, p95_px=px), replace(SAFE, p95_px=px, p50=0.06)
    chosen, note = select_winner([slower, safe, replace(HALF, p95_px=px)], "p50", 0.5)
    assert chosen is safe
    assert note.startswith("nothing stays within 0.5 px: fp32 on whole frames")


def test_nothing_runs_nothing_wins() -> None:
    assert select_winner([BROKEN], "p50", 0.5)[0] is None


def test_what_goes_on_is_quick_and_not_far_off_and_the_safest_always_does() -> None:
    far = tried(1, 3.0, "int8")
    near = tried(2, 0.9, "int8", options={"threads": 1})  # a few frames say little
    assert worth_resizing([SAFE, HALF, far, near, BROKEN], "p50", 0.5, 2) == [near, HALF, SAFE]


def test_the_finals_have_windows_whole_frames_and_the_safest() -> None:
    more = [tried(ms, 0.1, "bf16", follow=WINDOW, options={"threads": ms}) for ms in (6, 7, 8)]
    assert select_finalists([SAFE, HALF, SMALL, FOLLOWING, *more, BROKEN], "p50", 0.5, 2) == [
        FOLLOWING,
        more[0],
        HALF,
        SAFE,
    ]


def test_what_was_measured_last_counts_and_the_chosen_comes_first() -> None:
    brief = replace(HALF, final=False, p95_px=0.1)
    table = latest_trials([brief, BROKEN, SMALL, SAFE, HALF])
    assert HALF in table
    assert brief not in table
    assert sort_for_table(table, HALF, "p50", 0.5) == [HALF, SAFE, SMALL, BROKEN]


def pose(*points: tuple[float, float, float]) -> Pose:
    return Pose(np.asarray([points], np.float32), Skeleton(tuple("abcd"[: len(points)])))


def test_an_animal_is_lost_where_nothing_of_it_is_found_at_its_place() -> None:
    there = pose((10, 10, 0.9), (30, 10, 0.9))
    unsure, empty = pose((10, 10, 0.2), (30, 10, 0.3)), pose((10, 10, 0.9), (30, 10, 0.2))
    elsewhere, nothing = pose((80, 80, 0.9), (90, 80, 0.9)), Pose.missing(there.skeleton)
    assert count_lost([there] * 5, [there, unsure, elsewhere, nothing, empty]) == 3
    assert count_lost([unsure, nothing], [nothing, elsewhere]) == 0  # nobody knows where it was


def test_windows_hold_the_animal_and_what_it_moves() -> None:
    poses = [pose((100 + 4 * k, 100, 0.9), (140 + 4 * k, 120, 0.9), (0, 0, 0.1)) for k in range(20)]
    found = windows(poses, (640, 480))
    sides = [follow.window for follow in found]
    # 40 x 20 large, 2 * (4 + 16) around, 32 to align, and then more, twice as much in length
    assert sides == [(128, 96), (160, 128), (192, 160), (224, 160)]
    assert all(follow.at_once and follow.align == 32 and follow.rotates for follow in found)
    assert windows(poses, (110, 100)) == []  # the animal fills the frame
    assert windows([Pose.missing(poses[0].skeleton)] * 3, (640, 480)) == []


def test_the_budget_tells_how_often_something_fits() -> None:
    now = [0.0]
    budget = Budget(10, lambda: now[0])
    assert budget.fits(0.5, 0.5, 1, 100) == 10
    now[0] = 9.0
    assert (budget.fits(0.5, 0.5, 1, 100), budget.fits(0.5, 0.5, 4, 100)) == (1, 4)
    now[0] = 99.0
    assert (budget.left, budget.fits(0.5, 1, 2, 9)) == (0, 2)


def test_a_clip_is_split_so_that_no_frame_vouches_for_itself() -> None:
    source = BlobSource(frames=100)
    frames = split_clip(lambda: BlobSource(frames=100), 30)
    assert len(frames.judged) == 30
    assert np.array_equal(frames.judged[29], source.draw(29))
    assert len(frames.calibration) == 70
    assert np.array_equal(frames.calibration[0], source.draw(30))
    short = split_clip(lambda: BlobSource(frames=40), 30)
    assert (len(short.judged), len(short.calibration)) == (20, 20)
    assert np.array_equal(short.calibration[0], source.draw(20))
    with pytest.raises(DataError, match=r"has 12 frames; tuning needs a clip of at least 20"):
        split_clip(lambda: BlobSource(frames=12), 30)


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
        found = np.stack([self._model.predict(image).keypoints for image in images])
        found[..., 0] += self._shift
        return {"keypoints": found.astype(np.float32)}


class Blind(Known):
    """Sees nothing."""

    def run(self, images, conditions=None):
        found = super().run(images)["keypoints"]
        found[..., :2], found[..., 2] = np.nan, 0
        return {"keypoints": found}


def catalog(factory: str = "Known", options: tuple[str, ...] = ("threads",)) -> PluginCatalog:
    part = RuntimeInfo(
        name="known", summary="", factory=f"{__name__}:{factory}", reads=(".known",), profile_options=options
    )
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=(part,))])


def by_the_book(candidates, frames, **how):
    """Real poses and made-up times: those of the precision, by the share of the frame that is seen; one thread is slower."""
    done = []
    for one in measure(candidates, frames, **how):
        how_much = 0.1 if one.candidate.follow is not None else one.candidate.resize**2
        ms = MS[one.candidate.precision] * how_much * (2 if one.candidate.options else 1)
        done.append(replace(one, times=np.full(len(one.times), ms / 1000)))
    return done


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


def found(model: Path, tmp_path: Path, factory: str = "Known", **changes) -> SearchResult:
    folder = tmp_path / "exports"
    folder.mkdir(exist_ok=True)
    return search(plan(model, **changes), folder, catalog=catalog(factory), measuring=by_the_book)


def test_a_search_takes_the_quickest_that_is_near_enough(model: Path, tmp_path: Path) -> None:
    result = found(model, tmp_path)
    chosen = result.chosen.candidate
    assert chosen.precision == "bf16"  # int8 is quicker, and 3 px off
    assert chosen.follow is not None
    assert result.chosen.final
    assert result.chosen.p95_px == pytest.approx(0.2, abs=0.15)
    assert result.chosen.frames == 40
    assert result.reference == "known:fp32:cpu"
    assert result.confident == 80
    assert result.table[0] is result.chosen
    labels = [one.candidate.label for one in result.table]
    assert len(labels) == len(set(labels))
    assert any(one.candidate.resize == 0.5 for one in result.table)
    assert any(one.candidate.options for one in result.table)


def test_threads_are_not_tried_where_a_profile_could_not_keep_them(model: Path, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    how = {"catalog": catalog(options=()), "measuring": by_the_book}
    result = search(plan(model), tmp_path / "exports", **how)
    assert not any(one.candidate.options for one in result.table)


def test_a_smaller_error_takes_fp32(model: Path, tmp_path: Path) -> None:
    assert found(model, tmp_path, max_error=0.1).chosen.candidate.precision == "fp32"


def test_what_does_not_load_is_a_row_with_its_reason(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Known, "broken", ("bf16",))
    result = found(model, tmp_path)
    assert result.chosen.candidate.precision == "fp32"
    (row,) = [one for one in result.table if one.failure]
    assert row.measured(0.5).why == "no bf16 today"
    assert row.measured(0.5).p50_ms is None


def test_a_clip_without_an_animal_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"finds 0 confident keypoints in 40 frames of blobs.*shows the animal"):
        found(model, tmp_path, "Blind")


def test_frames_with_several_animals_get_no_window(model: Path, tmp_path: Path) -> None:
    card = Known(model).card.with_(individuals=("a", "b"), multi_animal=True)
    result = found(model, tmp_path, card=card)
    assert len(result.table) > 1
    assert all(one.candidate.follow is None for one in result.table)


@pytest.mark.parametrize(
    ("pixels", "seconds", "said"), [(0, 9, "max-error"), (math.nan, 9, "max-error"), (1, 0, "time")]
)
def test_impossible_wishes(pixels: float, seconds: float, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_plan(pixels, seconds)


@pytest.mark.parametrize(
    ("change", "said"), [({"precision": "int8"}, "is in int8"), ({"method": "conditional"}, "one model")]
)
def test_models_that_cannot_be_tuned_say_why(model: Path, change: dict, said: str) -> None:
    with pytest.raises(UnsupportedModelError, match=said):
        plan(model, card=Known(model).card.with_(**change))


# ---- keeping


def test_the_profile_beside_the_model_is_what_load_model_takes(model: Path, tmp_path: Path) -> None:
    result = found(model, tmp_path)
    kept = save_profile(plan(model), result, "<svg/>", catalog())
    assert read_profile(profile_path(model)) == kept
    assert sorted(file.name for file in model.parent.iterdir() if file.is_file()) == [
        "mouse.known", "mouse.profile.json", "mouse.profile.svg",
    ]  # fmt: skip
    with load_model(model, catalog=catalog()) as loaded:
        assert loaded.profile == kept
        assert loaded.profile.follow == result.chosen.candidate.follow
    assert kept.table[0].label == result.chosen.candidate.label
    with pytest.raises(OutputExistsError, match="--overwrite"):
        check_profile_path(model, overwrite=False)
    check_profile_path(model, overwrite=True)


def test_an_exported_winner_is_kept_in_a_folder_and_goes_with_its_profile(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    for name in ("mouse.known", "mouse.bin"):
        (exported / name).write_bytes(name.encode())
    result = found(model, tmp_path)
    other = replace(result.chosen, candidate=replace(result.chosen.candidate, path=exported / "mouse.known"))
    kept = save_profile(plan(model), replace(result, chosen=other, table=(other,)), "<svg/>", catalog())
    folder = tmp_path / "mouse.dlclive" / "bf16-known"
    assert kept.variant is not None
    assert kept.variant.file == "mouse.dlclive/bf16-known/mouse.known"
    assert sorted(file.name for file in folder.iterdir()) == ["mouse.bin", "mouse.known"]
    assert load_model(model, catalog=catalog()).profile == kept
    (tmp_path / "mouse.dlclive" / "mine.txt").touch()
    save_profile(plan(model), result, "<svg/>", catalog())  # the next one needs no file of its own
    assert not folder.exists()
    assert (tmp_path / "mouse.dlclive" / "mine.txt").exists()  # nothing else is touched
    assert load_model(model, catalog=catalog()).profile.variant is None


def test_the_folder_of_a_model_holds_one_model_still(model: Path, tmp_path: Path) -> None:
    kept = tmp_path / "project" / "train" / "mouse.dlclive" / "int8-known"
    kept.mkdir(parents=True)
    for folder in (kept, kept.parent.parent):
        (folder / "mouse.known").write_bytes(b"x")
    assert load_model(tmp_path / "project", catalog=catalog()).runtime == "known"
