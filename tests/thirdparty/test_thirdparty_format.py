"""A third-party model format: two companion files, a fixed image size, and its own peak measurement."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dlclive_core import ModelNotFoundError, PluginCatalog, UsageError, export_model, load_model
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.peak import measure_peak
from dlclive_core.benchmark.run import model_bytes
from dlclive_core.plugins.model_formats import has_fixed_size, model_files
from dlclive_core.testing import BlobSource

PLUGIN = """
from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl

@hookimpl
def dlclive_register_runtimes():
    return [
        RuntimeInfo(name="plain", summary="A text file", factory="lab_quick:PlainNetwork", reads=(".plain",)),
        RuntimeInfo(name="quick", summary="The lab's own", factory="lab_quick:QuickNetwork", reads=(".quick",),
                    fixed_size=(".quick",), companions={".quick": (".weights",)}),
    ]

@hookimpl
def dlclive_register_exporters():
    return [ExporterInfo(name="plain-quick", summary="To the lab's own", factory="lab_quick:QuickExporter",
                         reads=".plain", writes=".quick")]
"""

RUNTIME = """
import numpy as np

from dlclive_core import Exporter, ModelNotFoundError, Network, UsageError
from dlclive_core.runtimes import PeakWork, fix_input_size
from dlclive_core.testing import BlobModel


class PlainNetwork(Network):
    runtime = "plain"

    def __init__(self, path, *, device="auto", precision="auto"):
        self._model = BlobModel()
        self.card = self._model.card

    def run(self, images, conditions=None):
        return {"keypoints": np.stack([self._model.predict(image).keypoints for image in images])}


class QuickNetwork(PlainNetwork):
    runtime = "quick"

    def __init__(self, path, *, device="auto", precision="auto"):
        super().__init__(path)
        if not path.with_suffix(".weights").is_file():
            raise ModelNotFoundError(f"the weights of {path.name} are missing")
        height, width = map(int, path.read_text().split())
        self.card = self.card.with_(input_size=(height, width), format="quick")

    @classmethod
    def peak_work(cls, device):
        return [PeakWork("fp16", lambda: None, 1e6, "nothing, by quick")] if device == "quick:0" else []


class QuickExporter(Exporter):
    def export(self, source, target, *, precision="fp32", size=None, frames=()):
        card = BlobModel().card
        card = fix_input_size(card, size, source.name)
        if card.input_size is None:
            raise UsageError("a .quick file is for one size: give --size")
        target.write_text("{} {}".format(*card.input_size))
        target.with_suffix(".weights").write_bytes(b"w" * 1000)
        return card.with_(format="quick")
"""

SIZE = (160, 120)
"""(width, height) of the frames."""


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginCatalog:
    """The installed plugins and the lab's: a module, with the metadata that pip writes."""
    site = tmp_path / "site"
    info = site / "lab_quick-1.2.3.dist-info"
    info.mkdir(parents=True)
    (site / "lab_quick_plugin.py").write_text(PLUGIN)
    (site / "lab_quick.py").write_text(RUNTIME)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-quick\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text("[dlclive]\nquick = lab_quick_plugin\n")
    monkeypatch.syspath_prepend(str(site))
    for name in ("lab_quick", "lab_quick_plugin"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return PluginCatalog.installed()


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "lab.plain"
    path.write_text("a network")
    return path


@pytest.fixture
def clip() -> Clip:
    return Clip("blobs", tuple(BlobSource(frames=6).draw(index) for index in range(6)))


def test_a_format_of_two_files_is_exported_loaded_and_measured_as_one(
    catalog: PluginCatalog, plain: Path, clip: Clip
) -> None:
    target = plain.with_name("fast.quick")
    export = export_model(plain, target, size=SIZE, frames=clip.frames, catalog=catalog)
    assert sorted(file.name for file in export.files) == ["fast.quick", "fast.weights"]
    assert model_files(target, catalog) == (target, target.with_suffix(".weights"))
    assert model_bytes(target, catalog) == target.stat().st_size + 1000
    assert model_bytes(plain, catalog) == plain.stat().st_size
    with load_model(target, catalog=catalog) as model:
        assert (model.runtime, model.card.input_size) == ("quick", (120, 160))
    target.with_suffix(".weights").unlink()
    assert model_files(target, catalog) == (target,)
    with pytest.raises(ModelNotFoundError, match="weights"):
        load_model(target, catalog=catalog)


def test_a_format_of_fixed_size_is_exported_once_per_benchmark_size(
    catalog: PluginCatalog, plain: Path, clip: Clip, tmp_path: Path
) -> None:
    assert has_fixed_size(".QUICK", catalog)
    assert not has_fixed_size(".plain", catalog)
    (tmp_path / "exports").mkdir()
    exports = Exports(plain, tmp_path / "exports", clip.frames, None, catalog, lambda _: None)
    full, half = exports.file(".quick", "fp32", SIZE), exports.file(".quick", "fp32", (80, 60))
    assert full != half
    assert (full.read_text(), half.read_text()) == ("120 160", "60 80")
    with pytest.raises(UsageError, match="for one size"):
        exports.file(".quick", "fp32", None)


def test_a_runtime_measures_the_peak_of_its_own_device(catalog: PluginCatalog) -> None:
    peak = measure_peak("quick:0 (Lab)", catalog, seconds=0.01)
    assert peak.flops["int8"] == 2 * peak.flops["fp16"] > 0
    assert "nothing, by quick" in peak.how
    assert measure_peak("quick:1", catalog, seconds=0.01).flops == {}
