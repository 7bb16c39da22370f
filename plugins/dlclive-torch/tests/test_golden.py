"""Every reference network compared with deeplabcut 3.0.2: in PyTorch, and one of each kind exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import Pose, PoseModel, load_model
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.topdown import TopDownModel
from tests.golden_cases import CASES, Case, read_case
from tests.golden_exports import onnx_of_case

FREE = ("resnet_50", "cspnext_s", "paf_resnet_50_unique_identity", "dekr_w18")
"""Exported with a dynamic size; the last one also covers HRNet."""

OF_ONE_SIZE = (
    "animaltokenpose_base",
    "ctd_coam_w32",
    "ctd_prenet_rtmpose_s",
    "dlcrnet_stride16_ms5",
    "rtmpose_s",
    "top_down_resnet_50",
)
"""Exported with one size, that of their crops or of their image. The others are wider or deeper variants, whose export takes
long and covers nothing new; `nox -s parity` exports them all."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Case:
    """Each reference network in turn, as a file, without its detector."""
    return read_case(shared, request.param, tmp_path)


def predict(model: PoseModel, case: Case, image: NDArray[np.uint8]) -> Pose:
    """Return a model's pose for an image; as for the reference, the crop is the full image."""
    full_frame = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    if isinstance(model, ConditionalModel):
        return model.predict(image, boxes=full_frame, conditions=case.conditions)
    return model.predict(image, boxes=full_frame) if isinstance(model, TopDownModel) else model.predict(image)


def assert_agrees(pose: Pose, case: Case, pixels: float) -> None:
    """Compare animals, in the same order unless the model tells individuals apart: the reference has no identities."""
    keypoints = pose.keypoints
    if pose.ids is not None:
        apart = np.nan_to_num(np.abs(keypoints[None] - case.keypoints[:, None])[..., :2], nan=1e6).max(axis=(2, 3))
        order = apart.argmin(axis=1)
        assert sorted(order) == list(range(len(keypoints)))
        keypoints = keypoints[order]
    np.testing.assert_allclose(keypoints[..., :2], case.keypoints[..., :2], rtol=0, atol=pixels)
    np.testing.assert_allclose(keypoints[..., 2], case.keypoints[..., 2], rtol=0, atol=1e-3)
    if case.unique is not None:
        assert pose.unique is not None
        np.testing.assert_allclose(pose.unique, case.unique, rtol=0, atol=pixels)


@pytest.mark.golden
@pytest.mark.slow
def test_matches_deeplabcut(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("dlclive_onnx", reason="running the exported file needs dlclive-onnx")
    free = case.name in FREE
    with load_model(case.path, "torch", device="cpu") as model:
        assert_agrees(predict(model, case, case.image), case, 0.01)
        if not free and case.name not in OF_ONE_SIZE:
            return
        with load_model(onnx_of_case(tmp_path_factory, case), "onnx", device="cpu", threads=1) as exported:
            assert_agrees(predict(exported, case, case.image), case, 0.05)
            if not free:
                return
            part = np.ascontiguousarray(case.image[20:149, 10:211])  # 201 x 129: not a multiple of any stride
            plain, from_file = predict(model, case, part), predict(exported, case, part)
    np.testing.assert_allclose(from_file.xy, plain.xy, rtol=0, atol=0.05)
    np.testing.assert_allclose(from_file.confidence, plain.confidence, rtol=0, atol=1e-3)
