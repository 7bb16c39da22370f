"""The exporter to OpenVINO's own format."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from dlclive_openvino.export import OpenVinoExporter
from dlclive_openvino.files import read_network

from dlclive_core import DataError, Exporter, ModelError, PoseModel, Setting, UsageError, export_model, load_model
from dlclive_core.testing import ExporterContract

from dlclive_openvino.runtime import OpenVinoNetwork  # isort: skip

Pictures = Callable[..., list[np.ndarray]]


class TestOpenVinoExporter(ExporterContract):
    @pytest.fixture
    def exporter(self) -> Exporter:
        return OpenVinoExporter()

    @pytest.fixture
    def source(self, mouse: Path) -> Path:
        return mouse

    @pytest.fixture
    def target_name(self) -> str:
        return "small.xml"

    @pytest.fixture
    def written(self) -> list[str]:
        return ["small.bin", "small.xml"]

    def load(self, path: Path) -> PoseModel:
        return load_model(path, "openvino", threads=1)


def test_the_card_is_copied_and_the_source_path_is_not_written(mouse: Path, tmp_path: Path) -> None:
    card = OpenVinoExporter().export(mouse, tmp_path / "a.xml")
    assert card == OpenVinoNetwork(mouse).card.with_(format="openvino")
    assert read_network(tmp_path / "a.xml")[1] == card
    for name in ("a.xml", "a.bin"):
        assert str(mouse.parent).encode() not in (tmp_path / name).read_bytes()


def test_export_model_checks_parity_and_rejects_fp16(mouse: Path, tmp_path: Path, pictures: Pictures) -> None:
    export = export_model(mouse, tmp_path / "a.xml", frames=pictures(3))
    assert export.parity.max_px < 0.01
    assert [file.name for file in export.files] == ["a.bin", "a.xml"]
    with pytest.raises(UsageError, match="fp16"):
        export_model(mouse, tmp_path / "b.xml", precision="fp16", frames=pictures(3))


def test_a_bf16_export_runs_in_bf16_by_default(mouse: Path, tmp_path: Path, pictures: Pictures, has_bf16: bool) -> None:
    export = export_model(mouse, tmp_path / "a.xml", precision="bf16", frames=pictures(3), max_error=2.0)
    assert export.card.precision == "bf16"
    assert export.parity.max_px > 1e-4
    assert OpenVinoNetwork.settings(tmp_path / "a.xml") == [Setting("cpu", "bf16"), Setting("cpu", "fp32")]
    with load_model(tmp_path / "a.xml", threads=1) as model, load_model(tmp_path / "a.xml", precision="fp32") as full:
        assert (model.device, full.device) == ("cpu (OpenVINO, bf16)", "cpu (OpenVINO, f32)")


def test_invalid_options_are_rejected_before_anything_is_written(mouse: Path, tmp_path: Path) -> None:
    export = OpenVinoExporter().export
    with pytest.raises(UsageError, match="choose from fp32, bf16, int8"):
        export(mouse, tmp_path / "a.xml", precision="fp16")
    with pytest.raises(UsageError, match="1 x 1 at least; got 0x8"):
        export(mouse, tmp_path / "a.xml", size=(0, 8))
    with pytest.raises(DataError, match="no such folder"):
        export(mouse, tmp_path / "none" / "a.xml")
    model = onnx.load(mouse)
    (entry,) = model.metadata_props
    entry.value = entry.value.replace('"precision": "fp32"', '"precision": "fp16"')
    onnx.save(model, tmp_path / "half.onnx")
    with pytest.raises(ModelError, match=r"half\.onnx is in fp16: export the fp32 file"):
        export(tmp_path / "half.onnx", tmp_path / "a.xml")
    assert [item.name for item in tmp_path.iterdir()] == ["half.onnx"]


def test_a_fixed_size_cannot_be_changed(mouse: Path, tmp_path: Path) -> None:
    model = onnx.load(mouse)
    for index, value in ((1, 128), (2, 160)):
        model.graph.input[0].type.tensor_type.shape.dim[index].dim_value = value
    onnx.save(model, tmp_path / "fixed.onnx")
    with pytest.raises(UsageError, match=r"is fixed to 160x128 \(WIDTHxHEIGHT\) and cannot be 128x160"):
        OpenVinoExporter().export(tmp_path / "fixed.onnx", tmp_path / "a.xml", size=(128, 160))
    card = OpenVinoExporter().export(tmp_path / "fixed.onnx", tmp_path / "a.xml", size=(160, 128))
    assert card.input_size == (128, 160)


QUIET = """
from pathlib import Path
from dlclive_core import load_model
from dlclive_core.demo import MODEL
from dlclive_openvino.export import OpenVinoExporter
import numpy as np
OpenVinoExporter().export(MODEL, Path("a.xml"))
load_model("a.xml", "openvino", threads=1).predict(np.zeros((64, 64, 3), np.uint8))
try:
    import nncf
except ImportError:
    pass
"""


def test_telemetry_is_off_and_the_home_folder_stays_empty(tmp_path: Path) -> None:
    """A plain `import openvino` writes an identifier for its telemetry into the home folder."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home)}
    process = subprocess.run(
        [sys.executable, "-c", QUIET], cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (0, ""), process.stderr
    assert list(home.rglob("*")) == []
    assert sorted(item.name for item in here.iterdir()) == ["a.bin", "a.xml"]
