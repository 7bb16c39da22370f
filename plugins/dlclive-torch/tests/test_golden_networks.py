"""Every single-animal network against the answers of deeplabcut 3.0.2, in PyTorch and exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_torch.export import OnnxExporter

from dlclive_core import load_model
from dlclive_core.bottom_up import BottomUpModel

FREE = ("resnet_50", "hrnet_w18", "cspnext_s")
"""One of each backbone is exported for any size; the others for the frame's, which takes a fraction of the time."""


@pytest.mark.golden
@pytest.mark.slow
def test_agrees_with_deeplabcut(golden_case: Any, onnx_file: Any, tmp_path: Path) -> None:
    model = load_model(golden_case.path, "torch", device="cpu")
    found = model.predict(golden_case.image).keypoints
    assert found.shape == golden_case.keypoints.shape
    np.testing.assert_allclose(found[..., :2], golden_case.keypoints[..., :2], rtol=0, atol=0.01)
    np.testing.assert_allclose(found[..., 2], golden_case.keypoints[..., 2], rtol=0, atol=1e-3)

    target = tmp_path / "model.onnx"
    free = golden_case.name in FREE
    OnnxExporter().export(golden_case.path, target, size=None if free else golden_case.image.shape[:2])
    exported = BottomUpModel(onnx_file(target))
    again = exported.predict(golden_case.image).keypoints
    np.testing.assert_allclose(again[..., :2], golden_case.keypoints[..., :2], rtol=0, atol=0.05)
    np.testing.assert_allclose(again[..., 2], golden_case.keypoints[..., 2], rtol=0, atol=1e-3)

    if not free:
        return
    part = np.ascontiguousarray(golden_case.image[100:317, 200:533])  # 333 x 217: no multiple of anything
    here, there = model.predict(part).keypoints, exported.predict(part).keypoints
    np.testing.assert_allclose(there, here, rtol=0, atol=0.05)
