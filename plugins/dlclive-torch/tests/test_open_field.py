"""A trained network on real frames, compared with deeplabcut's poses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_torch.export import OnnxExporter

from dlclive_core import load_model
from dlclive_core.models.bottom_up import BottomUpModel
from tests.golden_exports import onnx_of

ReadRgb = Callable[[Path], np.ndarray]


@pytest.fixture(scope="module")
def trained(shared: Path) -> Path:
    return shared / "models" / "openfield_cspnext_s.pt"


@pytest.fixture(scope="module")
def labelled(shared: Path, rgb: ReadRgb) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images with deeplabcut's keypoints (K, 3), rounded to four digits."""
    with (shared / "models" / "reference_labelled_frames.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    frames = shared / "openfield" / "frames"
    return [(rgb(frames / name), np.array(values, float).reshape(-1, 3)) for name, *values in rows]


@pytest.mark.golden
def test_poses_match_deeplabcut(trained: Path, labelled: list[tuple[np.ndarray, np.ndarray]]) -> None:
    model = load_model(trained, "torch", device="cpu")
    assert len(labelled) == 22
    for image, expected in labelled:
        pose = model.predict(image).single()
        np.testing.assert_allclose(pose[:, :2], expected[:, :2], rtol=0, atol=0.01)
        np.testing.assert_allclose(pose[:, 2], expected[:, 2], rtol=0, atol=1e-3)


@pytest.mark.golden
@pytest.mark.parametrize(("precision", "bound"), [("fp32", 0.01), ("fp16", 0.1)])
def test_exported_poses_match_deeplabcut(
    trained: Path,
    labelled: list[tuple[np.ndarray, np.ndarray]],
    onnx_file: Any,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    precision: str,
    bound: float,
) -> None:
    if precision == "fp32":
        exported = onnx_of(tmp_path_factory, "openfield", trained)
    else:
        exported = tmp_path / "a.onnx"
        OnnxExporter().export(trained, exported, precision=precision)
    model = BottomUpModel(onnx_file(exported))
    for image, expected in labelled[::3]:
        pose = model.predict(image).single()
        np.testing.assert_allclose(pose[:, :2], expected[:, :2], rtol=0, atol=bound)
        np.testing.assert_allclose(pose[:, 2], expected[:, 2], rtol=0, atol=0.01)
