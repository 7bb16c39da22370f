"""Every reference network against the answers of deeplabcut 3.0.2: in PyTorch, and one of each kind exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlclive_torch.export import OnnxExporter
from numpy.typing import NDArray

from dlclive_core import Pose, PoseModel, load_model
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.topdown import TopDownModel
from tests.golden_cases import CASES, Case, read_case

FREE = ("resnet_50", "cspnext_s", "paf_resnet_50_unique_identity", "dekr_w18")
"""Exported for any size; the last is the HRNet, too."""

FIXED = (
    "animaltokenpose_base",
    "ctd_coam_w32",
    "ctd_prenet_rtmpose_s",
    "dlcrnet_stride16_ms5",
    "rtmpose_s",
    "top_down_resnet_50",
)
"""These are exported for the size of their image, which takes a fraction of the time. The others are wider or deeper ones of
these kinds, whose export takes long and meets nothing new; `nox -s parity` exports them all."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Case:
    """Each reference network in turn, as a file, without its detector."""
    return read_case(shared, request.param, tmp_path)


def answer(model: PoseModel, case: Case, image: NDArray[np.uint8]) -> Pose:
    """What a model says of an image, given as the reference was: all of it is the crop."""
    whole = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    if isinstance(model, ConditionalModel):
        return model.predict(image, boxes=whole, conditions=case.conditions)
    return model.predict(image, boxes=whole) if isinstance(model, TopDownModel) else model.predict(image)


def agree(pose: Pose, case: Case, pixels: float) -> None:
    """The same animals, in the same order unless the model tells individuals apart, which the reference did not yet."""
    found = pose.keypoints
    if pose.ids is not None:
        apart = np.nan_to_num(np.abs(found[None] - case.keypoints[:, None])[..., :2], nan=1e6).max(axis=(2, 3))
        order = apart.argmin(axis=1)
        assert sorted(order) == list(range(len(found)))
        found = found[order]
    np.testing.assert_allclose(found[..., :2], case.keypoints[..., :2], rtol=0, atol=pixels)
    np.testing.assert_allclose(found[..., 2], case.keypoints[..., 2], rtol=0, atol=1e-3)
    if case.unique is not None:
        assert pose.unique is not None
        np.testing.assert_allclose(pose.unique, case.unique, rtol=0, atol=pixels)


@pytest.mark.golden
@pytest.mark.slow
def test_agrees_with_deeplabcut(case: Case, tmp_path: Path) -> None:
    pytest.importorskip("dlclive_onnx", reason="running the exported file needs dlclive-onnx")
    free = case.name in FREE
    target = tmp_path / "model.onnx"
    with load_model(case.path, "torch", device="cpu") as model:
        agree(answer(model, case, case.image), case, 0.01)
        if not free and case.name not in FIXED:
            return
        fixed = None if free or model.card.method != "bottom-up" else case.image.shape[1::-1]
        OnnxExporter().export(case.path, target, size=fixed)
        with load_model(target, "onnx", device="cpu", threads=1) as exported:
            agree(answer(exported, case, case.image), case, 0.05)
            if not free:
                return
            part = np.ascontiguousarray(case.image[20:149, 10:211])  # 201 x 129: no multiple of anything
            here, there = answer(model, case, part), answer(exported, case, part)
    np.testing.assert_allclose(there.xy, here.xy, rtol=0, atol=0.05)
    np.testing.assert_allclose(there.confidence, here.confidence, rtol=0, atol=1e-3)
