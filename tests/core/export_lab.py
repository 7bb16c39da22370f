"""Networks that are files of JSON, and exporters that copy them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dlclive_core import (
    Exporter,
    ExporterInfo,
    ModelCard,
    Network,
    PluginCatalog,
    RuntimeInfo,
)
from dlclive_core.models.network import Setting
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel, BlobSource

EXPORTS: list[tuple[str, str, int]] = []
"""Suffixes, precision and number of frames of each export."""

CALIBRATION: list[int] = []
"""The red value of each frame that an exporter got."""

DEVICES: list[str] = []

LOADED: list[str] = []
"""The precision in which each network was loaded."""


class Blobs(Network):
    """A file of JSON: `off` is the error in pixels of its first `many` keypoints, `sure` a factor of their confidence."""

    runtime = "blobs"

    def __init__(self, path: Path, *, device: str = "auto", precision: str = "auto") -> None:
        values = json.loads(path.read_text())
        values |= values.get("exact", {}) if precision == "fp64" else {}
        self._off, self._many, self._sure = values.get("off", 0.0), values.get("many", 10**9), values.get("sure", 1.0)
        self._blobs = BlobModel()
        self._calls = 0
        self.card = self._blobs.card.with_(**{name: tuple(value) for name, value in values.get("card", {}).items()})
        DEVICES.append(device)
        LOADED.append(precision)

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        return [Setting("cuda:0", "fp32")] if path.suffix == ".gpu" else []

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        points = np.stack([self._blobs.predict(image).keypoints for image in images])
        points[..., 2] *= self._sure
        for index in range(points.shape[2]):
            points[:, :, index, 0] += self._off if self._calls < self._many else 0
            self._calls += 1
        return {"keypoints": points}


class FineBlobs(Blobs):
    """Also runs in fp64, in which the file's `exact` replaces its other values."""

    finer_precision = "fp64"


class Copy(Exporter):
    """Copies its source, and records its arguments."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        assert not list(target.parent.iterdir())
        EXPORTS.append((f"{source.suffix}{target.suffix}", precision, len(frames)))
        CALIBRATION.extend(int(frame[0, 0, 0]) for frame in frames)
        values = json.loads(source.read_text())
        values |= values.get("then", {})
        values.pop("exact", None)
        target.write_text(json.dumps(values))
        if target.suffix == ".end":
            target.with_suffix(".bin").write_text("weights")
        if values.get("detector"):
            target.with_name(f"{target.stem}.detector{target.suffix}").write_text("detector")
        return BlobModel().card.with_(precision=precision)


NOTED: list[tuple[int, str]] = []


class Rounding(Copy):
    """Calibrates if `steps` is given."""

    def __init__(self, *, steps: int = 0, note: str = "") -> None:
        self.calibrates = steps > 0
        NOTED.append((steps, note))


def export_catalog() -> PluginCatalog:
    """A catalog with networks of JSON and exporters that copy them; forgets what earlier exports did."""
    EXPORTS.clear()
    CALIBRATION.clear()
    DEVICES.clear()
    LOADED.clear()

    def copies(name: str, reads: str, writes: str, *precisions: str, converts: bool = True) -> ExporterInfo:
        return ExporterInfo(
            name=name,
            summary="",
            factory=f"{__name__}:Copy",
            reads=reads,
            writes=writes,
            precisions=precisions,
            converts=converts,
        )

    blobs = RuntimeInfo(
        name="blobs", summary="", factory=f"{__name__}:Blobs", reads=(".begin", ".middle", ".end", ".typed", ".gpu")
    )
    parts = (
        blobs,
        copies("one", ".begin", ".middle", "fp32", "fp16"),
        copies("two", ".middle", ".end", "fp32", "bf16", "int8"),
        copies("three", ".middle", ".middle", "int8"),
        copies("four", ".begin", ".gpu", "fp32"),
        copies("five", ".middle", ".typed", "fp32", "fp16", "bf16", converts=False),
        RuntimeInfo(name="fine", summary="", factory=f"{__name__}:FineBlobs", reads=(".fine",)),
        copies("six", ".fine", ".middle", "fp32", "fp16"),
    )
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])


def frames(count: int = 5, **options) -> list[np.ndarray]:
    """Frames of a BlobSource, each with its number in its first pixel."""
    source = BlobSource(**options)
    images = [source.draw(index) for index in range(count)]
    for index, image in enumerate(images):
        image[0, 0] = (index, 0, 0)
    return images
