"""Files for windows, made of those that were made for whole frames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlclive_core import Exporter, ExporterInfo, ModelCard, PluginCatalog, RuntimeInfo, UsageError
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.exports import Exports
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.testing import BlobModel, BlobSource
from dlclive_core.tuning.candidates import Candidates
from dlclive_core.tuning.plan import TunePlan
from dlclive_core.tuning.split_clip import ClipSplit

FRAMES = tuple(BlobSource(frames=40).draw(index) for index in range(40))
FOLLOWS = [FollowingCropSpec(window=(width, 32), at_once=True) for width in (32, 64, 96)]


class Plain(Exporter):
    """Writes down what it was asked for."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        target.write_text(json.dumps({"precision": precision, "frames": len(frames)}))
        return BlobModel().card


class Windowed(Plain):
    """Takes a window, too, but none that is 95 wide."""

    def __init__(self, *, window: tuple[int, int] | None = None) -> None:
        self._window, self.calibrates = window, window is not None

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        if self._window is not None and self._window[0] == 95:
            raise UsageError("nothing that a window would change")
        target.write_text(json.dumps({"precision": precision, "frames": len(frames), "window": self._window}))
        return BlobModel().card


def exports(folder: Path, exporter: type[Exporter], calibration: bool = True) -> Exports:
    """Of a model, with nothing made yet."""
    source = folder / "model.begin"
    source.write_text("{}")
    made = folder / "made"
    made.mkdir()
    name = f"{__name__}:{exporter.__name__}"
    parts = (
        RuntimeInfo(name="blobs", summary="", factory="dlclive_core.testing:BlobNetwork", reads=(".begin", ".end")),
        ExporterInfo(name="end", summary="", factory=name, reads=".begin", writes=".end"),
    )
    catalog = PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])
    return Exports(source, made, FRAMES[:8], (lambda: FRAMES) if calibration else None, catalog, lambda _: None)


@pytest.fixture
def ours(tmp_path: Path) -> Exports:
    return exports(tmp_path, Windowed)


def told(file: Path) -> dict[str, object]:
    return json.loads(file.read_text())


def test_the_same_file_is_made_again_with_the_window_and_frames_to_fit_it_to(ours: Exports) -> None:
    whole = ours.file(".end", "fp32", None)
    windows = ours.for_windows(whole, (64, 32))
    assert windows != whole
    assert told(whole) == {"precision": "fp32", "frames": 6, "window": None}
    assert told(windows) == {"precision": "fp32", "frames": 30, "window": [64, 32]}
    assert ours.for_windows(whole, (64, 32)) == windows, "made once"


def test_where_there_is_nothing_to_be_made_it_is_the_file_itself(ours: Exports, tmp_path: Path) -> None:
    whole = ours.file(".end", "fp32", None)
    assert ours.for_windows(whole, (95, 64)) == whole
    assert ours.for_windows(tmp_path / "model.begin", (64, 32)) == tmp_path / "model.begin"


@pytest.mark.parametrize(("exporter", "calibration"), [(Plain, True), (Windowed, False)])
def test_or_where_it_cannot_be_made(exporter: type[Exporter], calibration: bool, tmp_path: Path) -> None:
    ours = exports(tmp_path, exporter, calibration)
    whole = ours.file(".end", "fp32", None)
    assert ours.for_windows(whole, (64, 32)) == whole


def test_all_windows_that_are_tried_share_one_file(ours: Exports, tmp_path: Path) -> None:
    plan = TunePlan(
        source=tmp_path / "model.begin", card=BlobModel().card, frames=ClipSplit("clip", FRAMES[:20], FRAMES[20:])
    )
    whole = ours.file(".end", "fp32", None)
    candidate = Candidate(runtime="blobs", precision="fp32", device="cpu", path=whole)
    made = Candidates(plan, ours, PluginCatalog([])).smaller(candidate, [0.5], FOLLOWS)
    assert [(one.path == whole, one.follow) for one in made] == [(True, None), *((False, one) for one in FOLLOWS)]
    assert told(made[1].path)["window"] == [64, 32], "the middle one"
