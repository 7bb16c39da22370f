"""A trained network with a configuration that resizes or pads images: poses equal deeplabcut 3.0.2's on a real frame."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.export import OnnxExporter

from dlclive_core import UsageError, load_model
from dlclive_core.models.bottom_up import BottomUpModel

ReadRgb = Callable[[Path], np.ndarray]

POSES: dict[str, tuple[dict[str, Any], list[list[float]]]] = {
    "longest_max_size": (
        {"longest_max_size": 320},
        [[22.970, 274.898, 0.581], [42.480, 265.436, 0.663], [14.660, 249.036, 0.559], [84.599, 149.316, 0.578]],
    ),
    "resize": (
        {"resize": {"height": 240, "width": 400, "keep_ratio": True}},
        [[22.572, 274.543, 0.581], [41.849, 265.471, 0.661], [14.441, 249.570, 0.574], [84.657, 148.221, 0.596]],
    ),
    "resize without ratio": (
        {"resize": {"height": 300, "width": 500, "keep_ratio": False}},
        [[25.443, 268.335, 0.801], [34.988, 266.583, 0.892], [22.097, 249.741, 0.693], [88.165, 153.980, 0.776]],
    ),
    "central padding": (
        {
            "longest_max_size": 500,
            "auto_padding": {"pad_height_divisor": 64, "pad_width_divisor": 64, "position": "center"},
        },
        [[28.434, 267.248, 0.822], [38.685, 264.536, 0.710], [21.457, 247.887, 0.868], [85.958, 151.820, 0.858]],
    ),
    "least size": (
        {
            "auto_padding": {
                "min_height": 600,
                "min_width": 700,
                "pad_height_divisor": None,
                "pad_width_divisor": None,
                "position": "bottom_right",
                "border_mode": "constant",
            }
        },
        [[23.614, 266.476, 0.644], [30.556, 262.550, 0.698], [18.321, 252.198, 0.788], [86.180, 153.021, 0.728]],
    ),
}


@pytest.fixture(scope="module")
def held(shared: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(
        shared / "models" / "openfield_cspnext_s.pt", weights_only=False, map_location="cpu"
    )
    return content


@pytest.fixture(scope="module")
def frame(shared: Path, rgb: ReadRgb) -> np.ndarray:
    return rgb(shared / "openfield" / "frames" / "img0000.png")


OF_ANY_SIZE = ("longest_max_size", "resize without ratio", "central padding")
"""Exported for images of any size, the others for the frame's: there are both with resizing, and both with padding."""


@pytest.fixture(params=list(POSES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(kind: str, held: dict[str, Any], tmp_path: Path) -> tuple[Path, np.ndarray]:
    """An export whose configuration has these entries, and its pose."""
    inference, pose = POSES[kind]
    content = copy.deepcopy(held)
    content["config"]["data"]["inference"].update(inference)
    torch.save(content, tmp_path / "open.pt")
    return tmp_path / "open.pt", np.array(pose)


def check(keypoints: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(keypoints[:, :2], expected[:, :2], rtol=0, atol=0.01)
    np.testing.assert_allclose(keypoints[:, 2], expected[:, 2], rtol=0, atol=2e-3)


@pytest.mark.golden
def test_poses_equal_deeplabcuts(case: tuple[Path, np.ndarray], frame: np.ndarray) -> None:
    path, expected = case
    with load_model(path, "torch", device="cpu") as model:
        check(model.predict(frame).single(), expected)


@pytest.mark.golden
def test_exported_models_give_the_same_poses(
    kind: str, case: tuple[Path, np.ndarray], frame: np.ndarray, onnx_file: Any, tmp_path: Path
) -> None:
    path, expected = case
    size = None if kind in OF_ANY_SIZE else (640, 480)
    OnnxExporter().export(path, tmp_path / "open.onnx", size=size)
    check(BottomUpModel(onnx_file(tmp_path / "open.onnx")).predict(frame).single(), expected)


@pytest.mark.golden
def test_windows_are_refused(case: tuple[Path, np.ndarray], frame: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="resizes or pads images"):
        OnnxExporter(window=(320, 256)).export(case[0], tmp_path / "open.onnx", frames=[frame])
