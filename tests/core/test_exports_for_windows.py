"""Exported files for windows, derived from the files for whole frames."""

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
from dlclive_core.tuning.candidates import CandidateFactory
from dlclive_core.tuning.plan import TunePlan
from dlclive_core.tuning.split_clip import ClipSplit

FRAMES = tuple(BlobSource(frames=40).draw(index) for index in range(40))
FOLLOWS = [FollowingCropSpec(window=(width, 32), at_once=True) for width in (32, 64, 96)]


class Plain(Exporter):
    """Records its arguments."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        target.write_text(json.dumps({"precision": precision, "frames": len(frames)}))
        return BlobModel().card


class Windowed(Plain):
    """Also accepts a window, unless it is 95 pixels wide."""

    def __init__(self, *, window: tuple[int, int] | None = None) -> None:
        self._window, self.calibrates = window, window is not None

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        if self._window is not None and self._window[0] == 95:
            raise UsageError("a window would change nothing")
        target.write_text(json.dumps({"precision": precision, "frames": len(frames), "window": self._window}))
        return BlobModel().card


def exports(folder: Path, exporter: type[Exporter], calibration: bool = True) -> Exports:
    """The exports of a model, before the first one."""
    source = folder / "model.begin"
    source.write_text("{}")
    export_folder = folder / "exports"
    export_folder.mkdir()
    name = f"{__name__}:{exporter.__name__}"
    parts = (
        RuntimeInfo(name="blobs", summary="", factory="dlclive_core.testing:BlobNetwork", reads=(".begin", ".end")),
        ExporterInfo(name="end", summary="", factory=name, reads=".begin", writes=".end"),
    )
    catalog = PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])
    return Exports(
        source, export_folder, FRAMES[:8], (lambda: FRAMES) if calibration else None, catalog, lambda _: None
    )


@pytest.fixture
def model_exports(tmp_path: Path) -> Exports:
    return exports(tmp_path, Windowed)


def arguments(file: Path) -> dict[str, object]:
    return json.loads(file.read_text())


def test_a_file_for_windows_is_exported_with_calibration_frames(model_exports: Exports) -> None:
    whole = model_exports.file(".end", "fp32", None)
    windows = model_exports.for_windows(whole, (64, 32))
    assert windows != whole
    assert arguments(whole) == {"precision": "fp32", "frames": 6, "window": None}
    assert arguments(windows) == {"precision": "fp32", "frames": 30, "window": [64, 32]}
    assert model_exports.for_windows(whole, (64, 32)) == windows, "exported twice"


def test_a_window_that_changes_nothing_keeps_the_file(model_exports: Exports, tmp_path: Path) -> None:
    whole = model_exports.file(".end", "fp32", None)
    assert model_exports.for_windows(whole, (95, 64)) == whole
    assert model_exports.for_windows(tmp_path / "model.begin", (64, 32)) == tmp_path / "model.begin"


@pytest.mark.parametrize(("exporter", "calibration"), [(Plain, True), (Windowed, False)])
def test_an_exporter_without_windows_keeps_the_file(
    exporter: type[Exporter], calibration: bool, tmp_path: Path
) -> None:
    model_exports = exports(tmp_path, exporter, calibration)
    whole = model_exports.file(".end", "fp32", None)
    assert model_exports.for_windows(whole, (64, 32)) == whole


def test_all_windows_share_one_file(model_exports: Exports, tmp_path: Path) -> None:
    plan = TunePlan(
        source=tmp_path / "model.begin", card=BlobModel().card, frames=ClipSplit("clip", FRAMES[:20], FRAMES[20:])
    )
    whole = model_exports.file(".end", "fp32", None)
    candidate = Candidate(runtime="blobs", precision="fp32", device="cpu", path=whole)
    candidates = CandidateFactory(plan, model_exports, PluginCatalog([])).on_smaller_inputs(candidate, [0.5], FOLLOWS)
    assert [(item.path == whole, item.follow) for item in candidates] == [
        (True, None),
        *((False, follow) for follow in FOLLOWS),
    ]
    assert arguments(candidates[1].path)["window"] == [64, 32], "not the window of medium size"
