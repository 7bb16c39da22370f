"""A size is WIDTHxHEIGHT where people write it and (width, height) in Python, from the command line to the exporter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import Exporter, ExporterInfo, ModelCard, PluginCatalog, RuntimeInfo, UsageError, export_model
from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.candidate_list import ViewSpec
from dlclive_core.benchmark.clip import read_clip
from dlclive_core.benchmark.exports import Exports
from dlclive_core.cli.export import parse_size, run_export
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.regions import ResizeTo
from dlclive_core.testing import BlobModel, BlobSource


class Writer(Exporter):
    """Writes the size that it was given."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        target.write_text(json.dumps({"size": size, "shape": np.shape(frames[0]) if len(frames) else None}))
        return BlobModel().card


@pytest.fixture
def catalog() -> PluginCatalog:
    parts = (
        RuntimeInfo(
            name="blobs",
            summary="",
            factory="dlclive_core.testing:BlobNetwork",
            reads=(".a", ".engine"),
            fixed_size=(".engine",),
        ),
        ExporterInfo(name="writer", summary="", factory=f"{__name__}:Writer", reads=".a", writes=".engine"),
    )
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "m.a"
    path.write_text("a network")
    return path


def test_the_command_line_takes_width_first() -> None:
    assert parse_size("320x240", "--size") == (320, 240)
    with pytest.raises(UsageError, match="--size takes WIDTHxHEIGHT, for example 320x240; got '320'"):
        parse_size("320", "--size")


def test_the_command_line_hands_the_size_to_the_exporter(source: Path, catalog, monkeypatch) -> None:
    monkeypatch.setattr(PluginCatalog, "installed", lambda: catalog)
    target = source.with_suffix(".engine")
    run_export(str(source), target, "fp32", "160x120", None, None, (), overwrite=False, json=True)
    assert json.loads(target.read_text())["size"] == [160, 120]


def test_frames_are_cut_to_the_size(source: Path, catalog) -> None:
    frames = [BlobSource().draw(index) for index in range(3)]
    target = source.with_suffix(".engine")
    export_model(source, target, size=(96, 64), frames=frames, catalog=catalog)
    assert json.loads(target.read_text()) == {"size": [96, 64], "shape": [64, 96, 3]}


def test_a_benchmark_exports_for_the_size_of_its_pictures(source: Path, catalog, tmp_path: Path) -> None:
    clip = read_clip(BlobSource(frames=8, size=(160, 120)), 8)
    assert clip.size == (160, 120)
    size = ViewSpec(resize=0.5).input_size(clip.size)
    assert size == (80, 60)
    assert ViewSpec(size=(96, 64)).input_size(clip.size) == (96, 64)
    messages: list[str] = []
    folder = tmp_path / "exports"
    folder.mkdir()
    file = Exports(source, folder, clip.frames, None, catalog, messages.append).file(".engine", "fp32", size)
    assert json.loads(file.read_text())["size"] == [80, 60]
    assert messages == ["exporting m.a to .engine in fp32 for 80x60"]


def test_a_candidate_of_a_size_sees_pictures_of_it() -> None:
    candidate = Candidate(runtime="blobs", precision="fp32", device="cpu", path=Path("m.a"), size=(80, 30))
    view, transform = candidate.region().cut(np.zeros((120, 160, 3), np.uint8))
    assert view.shape == (30, 80, 3)
    assert transform.scale == (2.0, 4.0)
    assert candidate.label == "blobs:fp32:cpu at 80x30"
    with pytest.raises(UsageError, match="a size of 0 x 30 pixels"):
        ResizeTo(0, 30)
