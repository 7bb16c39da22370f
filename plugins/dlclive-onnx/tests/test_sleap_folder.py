"""Folders for Bonsai.Sleap and sleap-nn, run by ONNX Runtime alone, with the bytes that these programs put into the tensor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import yaml
from dlclive_onnx.export import OnnxQuantiser
from dlclive_onnx.runtime import OnnxNetwork
from dlclive_onnx.sleap.exporter import BonsaiExporter, SleapNNExporter
from dlclive_onnx.sleap.picture import PictureLayout

from dlclive_core import (
    Exporter,
    ExporterInfo,
    ModelCard,
    ModelError,
    OutputExistsError,
    PluginCatalog,
    Skeleton,
    UnsupportedModelError,
    UsageError,
    export_model,
    load_model,
)
from dlclive_core.demo import MODEL

Write = Callable[..., Path]

BONSAI_FIELDS = {
    "sleap_nn_version": str,
    "export_timestamp": str,
    "export_format": str,
    "model_type": str,
    "model_name": str,
    "checkpoint_path": str,
    "backbone": str,
    "n_nodes": int,
    "n_edges": int,
    "node_names": list,
    "edge_inds": list,
    "input_scale": float,
    "input_channels": int,
    "output_stride": int,
    "crop_size": (list, type(None)),
    "max_instances": (int, type(None)),
    "max_peaks_per_node": (int, type(None)),
    "max_batch_size": int,
    "precision": str,
    "peak_threshold": (float, type(None)),
    "input_dtype": str,
    "normalization": str,
    "n_classes": (int, type(None)),
    "class_names": (list, type(None)),
    "anchor_part": (str, type(None)),
    "training_config_embedded": bool,
    "training_config_hash": str,
}
"""What Bonsai.Sleap 0.4 knows of `export_metadata.json`. Its reader (YamlDotNet) raises for every other field."""


def frame(height: int, width: int, red: tuple[int, int], green: tuple[int, int]) -> np.ndarray:
    """An RGB picture on dark blue with a red and a green pixel, each (x, y)."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = 90
    image[red[1], red[0]] = (255, 0, 90)
    image[green[1], green[0]] = (0, 250, 90)
    return image


def from_bonsai(*images: np.ndarray) -> np.ndarray:
    """Bonsai has blue, green, red, as OpenCV, and copies the rows of a frame into a tensor of shape (B, 3, H, W)."""
    height, width = images[0].shape[:2]
    memory = b"".join(image[:, :, ::-1].tobytes() for image in images)
    return np.frombuffer(memory, np.uint8).reshape(len(images), 3, height, width)


def run(folder: Path, tensor: np.ndarray) -> list[Any]:
    """The outputs in the order of the file: Bonsai.Sleap reads them by their places, sleap-nn by their names."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    assert (first.name, first.type) == ("image", "tensor(uint8)")
    return session.run(None, {first.name: tensor})


def names(folder: Path) -> list[str]:
    """The names of the outputs."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    return [item.name for item in session.get_outputs()]


def write(exporter: Exporter, source: Path, folder: Path, **options: Any) -> Path:
    """Export into a folder, without the comparison."""
    folder.mkdir(exist_ok=True)
    exporter.export(source, folder / "model.onnx", **options)
    return folder


@pytest.mark.parametrize(("height", "width"), [(48, 64), (37, 51), (64, 33)])
def test_a_colour_frame_of_bonsai(whole: Write, tmp_path: Path, height: int, width: int) -> None:
    """The centre of the left upper pixel is 0, 0. With the wrong colours or layout the pixels would be elsewhere."""
    folder = write(BonsaiExporter(channels=3), whole(), tmp_path / "out")
    assert names(folder) == ["peaks", "peak_vals"]
    red, green = (5, 30), (21, 7)
    images = [frame(height, width, red, green), frame(height, width, green, red)]
    for batch in (images[:1], images):
        peaks, values = run(folder, from_bonsai(*batch))
        assert (peaks.shape, peaks.dtype, values.dtype) == ((len(batch), 2, 2), np.float32, np.float32)
        np.testing.assert_array_equal(peaks[0], [red, green])
        np.testing.assert_array_equal(peaks[-1], [red, green] if len(batch) == 1 else [green, red])
        np.testing.assert_allclose(values[0], [1, 250 / 255], rtol=1e-6)


def test_a_planar_tensor_of_a_later_bonsai(whole: Write, tmp_path: Path) -> None:
    folder = write(BonsaiExporter(channels=3, planar=True), whole(), tmp_path / "out")
    image = frame(40, 56, (3, 2), (50, 39))
    planes = np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1))[None]
    np.testing.assert_array_equal(run(folder, planes)[0], [[(3, 2), (50, 39)]])


def test_a_monochrome_camera_in_bonsai(whole: Write, tmp_path: Path) -> None:
    folder = write(BonsaiExporter(), whole(), tmp_path / "out")
    image = np.zeros((30, 41), np.uint8)
    image[17, 8] = 200
    peaks, values = run(folder, image[None, None])
    np.testing.assert_array_equal(peaks, [[(8, 17), (8, 17)]])
    np.testing.assert_allclose(values, 200 / 255, rtol=1e-6)
    assert json.loads((folder / "export_metadata.json").read_text())["input_channels"] == 1


def test_sleap_nn_sends_planes_of_either_number(whole: Write, tmp_path: Path) -> None:
    folder = write(SleapNNExporter(), whole(), tmp_path / "out")
    image = frame(37, 51, (5, 30), (21, 7))
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))[None]
    peaks, _ = run(folder, np.repeat(planes, 2, axis=0))
    np.testing.assert_array_equal(peaks, [[(5, 30), (21, 7)]] * 2)
    np.testing.assert_array_equal(run(folder, planes[:, 1:2])[0], [[(21, 7), (21, 7)]])


def test_a_size_can_be_fixed(whole: Write, tmp_path: Path) -> None:
    folder = write(BonsaiExporter(), whole(), tmp_path / "out", size=(51, 37))
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 1, 37, 51]


def test_the_metadata_is_what_both_programs_read(whole: Write, tmp_path: Path) -> None:
    folder = write(BonsaiExporter(), whole(), tmp_path / "out")
    text = (folder / "export_metadata.json").read_text(encoding="ascii")
    fields = json.loads(text)
    assert yaml.safe_load(text) == {**fields, "export_timestamp": yaml.safe_load(text)["export_timestamp"]}
    assert fields.keys() == BONSAI_FIELDS.keys()
    for name, kind in BONSAI_FIELDS.items():
        assert isinstance(fields[name], kind), name
    assert fields["model_type"] == "single_instance"
    assert fields["node_names"] == ["red", "green"]
    assert (fields["n_nodes"], fields["n_edges"], fields["precision"]) == (2, 0, "fp32")
    assert (fields["input_scale"], fields["output_stride"], fields["input_dtype"]) == (1.0, 1, "uint8")
    assert datetime.fromisoformat(fields["export_timestamp"]).tzinfo is None


def test_the_file_still_says_what_it_was_made_of(whole: Write, tmp_path: Path) -> None:
    folder = write(BonsaiExporter(), whole(), tmp_path / "out")
    refused = r"two-colours \(DLC_two\) as an export for bonsai.*use the model that it was made from"
    with pytest.raises(UnsupportedModelError, match=refused):
        OnnxNetwork(folder / "model.onnx")
    with pytest.raises(UnsupportedModelError, match=refused):
        write(SleapNNExporter(), folder / "model.onnx", tmp_path / "again")
    with pytest.raises(UnsupportedModelError, match=refused):
        OnnxQuantiser().export(
            folder / "model.onnx", tmp_path / "int8.onnx", precision="int8", frames=[np.zeros((64, 64, 3), np.uint8)]
        )


@pytest.mark.parametrize("format", ["", "onnx", "lab-onnx"])
def test_a_file_for_no_other_program_runs_whoever_wrote_its_card(format: str, whole: Write, tmp_path: Path) -> None:
    """A card made in code has no format, and an exporter of another package has a word of its own."""
    card = ModelCard(net_type="two-colours", skeleton=Skeleton(("red", "green")), format=format)
    network = OnnxNetwork(whole(card=card.to_json()))
    assert network.card.format == format
    write(BonsaiExporter(), whole(card=card.to_json()), tmp_path / "out")


@pytest.mark.parametrize("program", ["bonsai", "sleap-nn"])
def test_the_folder_is_compared_as_the_program_runs_it(tmp_path: Path, program: str) -> None:
    folder = tmp_path / "new" / "out"
    export = export_model(MODEL, folder, program=program)
    assert export.target == folder / "model.onnx"
    assert {file.name for file in folder.iterdir()} == {"model.onnx", "export_metadata.json"}
    assert set(export.files) == set(folder.iterdir())
    assert export.parity.keypoints > 0
    assert export.parity.max_px < 1e-3
    with load_model(MODEL) as model:
        assert json.loads((folder / "export_metadata.json").read_text())["node_names"] == list(
            model.card.skeleton.keypoints
        )


class WrongColours(BonsaiExporter):
    """Believes that Bonsai's frames begin with red."""

    def __init__(self) -> None:
        super().__init__(channels=3)
        self._read_layout, self._layout = self._layout, PictureLayout(channels=3, interleaved=True, blue_first=False)

    def load(self, target: Path) -> Any:
        self._layout = self._read_layout
        return super().load(target)


def test_nothing_is_written_if_the_program_would_see_other_poses(tmp_path: Path) -> None:
    info = ExporterInfo(
        name="wrong", summary="", factory=f"{__name__}:WrongColours", reads=".onnx", writes=".onnx", program="wrong"
    )
    installed = PluginCatalog.installed()
    lab = type(installed.plugins[0])(name="lab", distribution="lab", version="1", status="ready", components=(info,))
    catalog = PluginCatalog([*installed.plugins, lab])
    rng = np.random.default_rng(0)
    with load_model(MODEL) as model:
        size = model.card.input_size or (120, 160)
    frames = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2)]
    with pytest.raises(ModelError, match="differs from its source"):
        export_model(MODEL, tmp_path / "out", program="wrong", frames=frames, catalog=catalog)
    assert not (tmp_path / "out").exists()


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "export_metadata.json").write_text("mine")
    with pytest.raises(OutputExistsError, match="export_metadata"):
        export_model(MODEL, folder, program="bonsai")
    assert not (folder / "model.onnx").exists()
    assert (folder / "export_metadata.json").read_text() == "mine"
    export_model(MODEL, folder, program="bonsai", overwrite=True)
    assert sorted(file.name for file in folder.iterdir()) == ["export_metadata.json", "model.onnx", "notes.txt"]
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(OutputExistsError, match=r"model\.onnx"):
        export_model(MODEL, folder, program="bonsai")


@pytest.mark.parametrize(
    ("program", "target", "reason"),
    [
        ("bonsay", "out", "no program 'bonsay' to export for: did you mean 'bonsai'"),
        ("zebra", "out", "no program 'zebra' to export for: choose from bonsai, sleap-nn"),
        ("bonsai", "out.onnx", r"an export for bonsai is a folder, not out\.onnx: name a folder, such as out"),
        ("bonsai", "file", "an export for bonsai is a folder, and .*file is a file: choose another name"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, program: str, target: str, reason: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=reason):
        export_model(MODEL, tmp_path / target, program=program)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"channels": 4}, r"channels must be 1 \(grey\) or 3 \(blue, green, red\); got 4"),
        ({"max_instances": 0}, "max_instances must be between 1 and 100 animals; got 0"),
        ({"max_instances": 2}, "max_instances is for top-down networks; dlclive_mouse is a bottom-up network: leave"),
        ({"min_score": 1.5}, "min_score must be a confidence between 0 and 1; got 1.5"),
        ({"chanels": 3}, "exporter 'bonsai' has no option 'chanels': did you mean 'channels'"),
    ],
)
def test_invalid_options(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        export_model(MODEL, tmp_path / "out", program="bonsai", options=options)
    assert not (tmp_path / "out").exists()


def test_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dlclive_core", "export", str(MODEL), str(tmp_path / "out"), "--for"]
    done = subprocess.run([*command, "bonsai", "--json"], capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    assert facts["card"]["format"] == "bonsai"
    assert {Path(file).name for file in facts["files"]} == {"model.onnx", "export_metadata.json"}
    wrong = subprocess.run([*command, "bonzai"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "no program 'bonzai' to export for: did you mean 'bonsai'?" in wrong.stderr
