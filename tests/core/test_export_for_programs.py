"""Exports for other programs: their routes, their folder, and the comparison as the program runs the export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlclive_core import (
    DependencyError,
    DetectionOptions,
    Detector,
    Exporter,
    ExporterInfo,
    ModelCard,
    ModelError,
    Network,
    Pose,
    PoseModel,
    RuntimeInfo,
    UnsupportedModelError,
    UsageError,
    export_model,
    install_command,
)
from dlclive_core.export.route import find_route
from dlclive_core.models.topdown import TopDownModel
from dlclive_core.plugins.catalog import Plugin, PluginCatalog
from dlclive_core.testing import BlobModel, BlobSource

BOXES = [(20.0, 10.0, 90.0, 80.0, 0.9), (100.0, 60.0, 150.0, 110.0, 0.8), (5.0, 5.0, 25.0, 25.0, 0.7)]


class Boxes(Detector):
    """Finds the same boxes in every picture."""

    def detect(self, image: np.ndarray) -> np.ndarray:
        return np.asarray(BOXES, np.float32)


class Blobs(Network):
    """The file is JSON: facts of the card."""

    runtime = "blobs"

    def __init__(self, path: Path, *, device: str = "auto", precision: str = "auto") -> None:
        facts = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(path.read_text()).items()
        }
        self._blobs = BlobModel()
        self.card = self._blobs.card.with_(**facts)

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        return {"keypoints": np.stack([self._blobs.predict(image).keypoints for image in images])}

    def detector(self) -> Detector:
        return Boxes()


class Other(PoseModel):
    """What the other program sees: the blobs of the frame, moved by `off`; of top-down networks, in the boxes `seen`."""

    def __init__(self, file: Path, off: float, seen: Sequence[int]) -> None:
        self._network = Blobs(file)
        self.card, self._off, self._seen = self._network.card, off, list(seen)

    def predict(self, image: np.ndarray, *, boxes: np.ndarray | None = None) -> Pose:
        if self.card.method == "bottom-up":
            pose = BlobModel().predict(image)
            return Pose(pose.keypoints + np.float32((self._off, 0, 0)), pose.skeleton)
        found = np.asarray(BOXES, np.float32)[self._seen]
        pose = TopDownModel(self._network, DetectionOptions()).predict(image, boxes=found)
        return Pose(pose.keypoints + np.float32((self._off, 0, 0)), pose.skeleton, boxes=found)


class ForOther(Exporter):
    """Writes a folder for the program "other"."""

    def __init__(self, *, off: float = 0.0, seen: Sequence[int] = (0, 1)) -> None:
        self._off, self._seen = off, seen
        self.detection = {"max_animals": 2}

    def shown(self, image: np.ndarray) -> np.ndarray:
        SHOWN.append(image.shape)
        return image

    def load(self, target: Path) -> PoseModel:
        return Other(target, self._off, self._seen)

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        target.write_text(source.read_text())
        (target.parent / "facts.json").write_text("{}")
        return Blobs(target).card


SHOWN: list[tuple[int, ...]] = []


@pytest.fixture
def catalog() -> PluginCatalog:
    SHOWN.clear()
    parts = (
        RuntimeInfo(name="blobs", summary="", factory=f"{__name__}:Blobs", reads=(".blob",)),
        ExporterInfo(
            name="other", summary="", factory=f"{__name__}:ForOther", reads=".blob", writes=".blob", program="other"
        ),
    )
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])


def source(folder: Path, **facts: Any) -> Path:
    """A model's file."""
    path = folder / "mouse.blob"
    path.write_text(json.dumps(facts))
    return path


def pictures() -> list[np.ndarray]:
    """Frames of 160 x 120 with blobs in them."""
    with BlobSource(frames=3, size=(160, 120)) as frames:
        frames.open()
        return [frames.read(1.0).image for _ in range(3)]


def test_the_folder_gets_all_files_and_frames_as_they_are_shown(tmp_path: Path, catalog: PluginCatalog) -> None:
    export = export_model(source(tmp_path), tmp_path / "out", program="other", frames=pictures(), catalog=catalog)
    assert export.target == tmp_path / "out" / "model.blob"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["facts.json", "model.blob"]
    assert SHOWN == [(120, 160, 3)] * 3
    assert export.parity.keypoints > 0


def test_poses_that_the_program_would_move_are_refused(tmp_path: Path, catalog: PluginCatalog) -> None:
    with pytest.raises(ModelError, match=r"differs from its source by 0\.5"):
        export_model(
            source(tmp_path),
            tmp_path / "out",
            program="other",
            frames=pictures(),
            options={"off": 0.5},
            catalog=catalog,
        )
    assert not (tmp_path / "out").exists()


TOP_DOWN = {"method": "top-down", "input_size": [60, 60]}


def test_a_top_down_program_is_compared_in_its_boxes(tmp_path: Path, catalog: PluginCatalog) -> None:
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    model = source(tmp_path, **TOP_DOWN)
    export = export_model(model, tmp_path / "out", program="other", frames=pictures(), catalog=catalog)
    assert (export.parity.boxes, export.parity.box_px, export.parity.max_px) == (6, 0, 0)


@pytest.mark.parametrize("seen", [(0,), (0, 1, 2), ()])
def test_another_number_of_boxes_is_refused(tmp_path: Path, catalog: PluginCatalog, seen: tuple[int, ...]) -> None:
    """The source uses two of its three detections."""
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    model = source(tmp_path, **TOP_DOWN)
    with pytest.raises(ModelError, match="boxes of the exported detector differ"):
        export_model(
            model, tmp_path / "out", program="other", frames=pictures(), options={"seen": seen}, catalog=catalog
        )


def test_an_export_for_a_program_is_no_format(catalog: PluginCatalog) -> None:
    """Nothing else is made of it, and it is not taken where a format is asked for."""
    assert [step.info.name for step in find_route(catalog, ".blob", ".blob", "fp32", "other")] == ["other"]
    with pytest.raises(UnsupportedModelError, match=r"no installed exporter from \.blob to \.blob; installed: none"):
        find_route(catalog, ".blob", ".blob", "fp32")
    with pytest.raises(UsageError, match="no precision 'fp64' for other: choose from fp32"):
        find_route(catalog, ".blob", ".blob", "fp64", "other")


def test_a_known_program_leads_to_its_package(tmp_path: Path, catalog: PluginCatalog) -> None:
    with pytest.raises(DependencyError) as raised:
        find_route(catalog, ".pt", ".onnx", "fp32", "bonsai")
    assert "exporting .pt to bonsai in fp32 needs dlclive-torch and dlclive-onnx[bonsai]" in str(raised.value)
    assert install_command("dlclive-torch", "dlclive-onnx[bonsai]") in str(raised.value)
    with pytest.raises(UsageError, match="no program 'othr' to export for: did you mean 'other'"):
        export_model(source(tmp_path), tmp_path / "out", program="othr", catalog=catalog)
