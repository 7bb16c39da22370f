"""Engines on a real GPU, compared with their ONNX files in pixels. Skipped on a computer without one.

`python -m pytest plugins/dlclive-tensorrt/tests/test_on_a_gpu.py -m gpu` on a machine with an NVIDIA GPU, dlclive-onnx and
`pip install dlclive-tensorrt`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import export_model, load_model
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource
from dlclive_core.export.parity import Parity, compare_models

SHARED = Path(__file__).parents[4] / "shared"
SIZE = (640, 480)

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(autouse=True, scope="module")
def _gpu() -> None:
    if importlib.util.find_spec("tensorrt") is None:
        pytest.skip("TensorRT is not installed")
    from dlclive_tensorrt.cuda import gpus

    if not gpus():
        pytest.skip("no NVIDIA GPU responds")


@pytest.fixture(scope="module")
def mice() -> list[np.ndarray]:
    with MouseSource(seed=7, frames=100, size=SIZE) as source:
        source.open()
        return [source.read(1.0).image for _ in range(100)]


def compare(reference: Path, engine: Path, images: list[np.ndarray]) -> Parity:
    with load_model(reference, device="cpu") as theirs, load_model(engine) as ours:
        assert "without a CUDA graph" not in ours.device
        return compare_models(theirs, ours, images)


def test_the_demo_network_in_float32(tmp_path: Path, mice: list[np.ndarray]) -> None:
    engine = tmp_path / "mouse.engine"
    export_model(MODEL, engine, size=SIZE)
    parity = compare(MODEL, engine, mice)
    assert parity.confident > 300
    assert parity.max_px <= 0.05


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 0.05), ("fp16", 0.25)])
def test_the_open_field_network(tmp_path: Path, precision: str, bound: float) -> None:
    """From DeepLabCut's file through ONNX in the same precision, compared with PyTorch in float32."""
    pytest.importorskip("dlclive_torch")
    model, video = SHARED / "models" / "openfield_cspnext_s.pt", SHARED / "openfield" / "m3v1mp4.mp4"
    if not model.is_file() or not video.is_file():
        pytest.skip("the open-field network and video are missing: there is no folder 'shared' beside the repository")
    cv2 = pytest.importorskip("cv2")
    capture = cv2.VideoCapture(str(video))
    images = [np.ascontiguousarray(frame[:, :, ::-1]) for ok, frame in (capture.read() for _ in range(200)) if ok]
    engine = tmp_path / "openfield.engine"
    export_model(model, engine, precision=precision, size=images[0].shape[1::-1], frames=images[:10])
    parity = compare(model, engine, images)
    assert parity.confident > 200
    error_px = parity.max_confident_px if precision == "fp32" else parity.p99_confident_px
    assert error_px <= bound


def test_batches_give_the_same_keypoints_as_single_images(tmp_path: Path, mice: list[np.ndarray]) -> None:
    from dlclive_tensorrt.exporter import EngineExporter

    engine = tmp_path / "mouse.engine"
    EngineExporter(batches=(1, 4)).export(MODEL, engine, size=SIZE)
    with load_model(engine) as model:
        together = model.predict_batch(mice[:6])
        for pose, image in zip(together, mice, strict=False):
            np.testing.assert_allclose(pose.keypoints, model.predict(image).keypoints, atol=0.05)


def test_closing_a_model_frees_gpu_memory(tmp_path: Path, mice: list[np.ndarray]) -> None:
    from dlclive_tensorrt.cuda import free_memory

    engine = tmp_path / "mouse.engine"
    export_model(MODEL, engine, size=SIZE)
    free = []
    for _ in range(4):
        with load_model(engine) as model:
            model.predict(mice[0])
        free.append(free_memory()[0])
    assert min(free[1:]) >= free[0] - (8 << 20)
