"""DeepLabCut's networks on OpenVINO: reference networks of several kinds, and a trained one on real frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_openvino.export import OpenVinoExporter

from dlclive_core import PluginCatalog, PoseModel, compare_models, load_model
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.spread_frames import spread_frames

pytest.importorskip("dlclive_torch", reason="dlclive-torch reads DeepLabCut's files")
golden_cases = pytest.importorskip("tests.golden_cases", reason="making the reference networks needs torch")
golden_exports = pytest.importorskip("tests.golden_exports", reason="exporting them needs torch")

SHARED = Path(__file__).parents[4] / "shared"

KINDS = (
    "cspnext_s",
    "hrnet_w18",
    "rtmpose_s",
    "ctd_prenet_rtmpose_s",
    "paf_resnet_50_unique_identity",
    "dlcrnet_stride16_ms5",
    "dekr_w18",
)
"""Heatmaps, several resolutions, classified coordinates, conditions, affinity fields with unique keypoints and without,
regression."""


@pytest.fixture(scope="module")
def shared() -> Path:
    """The folder with the reference networks and the open field."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("the reference networks are missing: there is no folder 'shared' beside the repository")
    return SHARED


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_pytorch(kind: str, shared: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In fp32, as an ONNX file and as OpenVINO's own."""
    import torch

    torch.set_num_threads(1)
    case = golden_cases.read_case(shared, kind, tmp_path)
    onnx = golden_exports.onnx_of_case(tmp_path_factory, case)
    OpenVinoExporter().export(onnx, tmp_path / "a.xml")
    with load_model(case.path, "torch", device="cpu") as model:
        for path in (onnx, tmp_path / "a.xml"):
            with load_model(path, "openvino", threads=1) as candidate:
                parity = compare_models(model, candidate, [case.image])
            assert parity.keypoints >= 4
            assert parity.max_px <= 0.05
            assert parity.max_confidence <= 1e-3


@pytest.fixture(scope="module")
def trained(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The open-field network as an ONNX file."""
    path: Path = golden_exports.onnx_of(tmp_path_factory, "openfield", shared / "models" / "openfield_cspnext_s.pt")
    return path


@pytest.fixture(scope="module")
def clip(shared: Path) -> list[np.ndarray]:
    """Frames of the open field."""
    pytest.importorskip("av", reason="PyAV reads the video")
    source = source_for(shared / "openfield" / "m3v1mp4.mp4", PluginCatalog.installed())
    return list(spread_frames(source, 24))


@pytest.fixture
def full(trained: Path) -> PoseModel:
    return load_model(trained, "openvino", threads=1)


@pytest.mark.golden
def test_bf16_on_a_real_clip(
    trained: Path, clip: list[np.ndarray], full: PoseModel, openvino: Callable[..., PoseModel], has_bf16: bool
) -> None:
    with full, openvino(trained, precision="bf16") as half:
        parity = compare_models(full, half, clip[:12])
    assert parity.confident >= 20
    assert 1e-3 < parity.p99_confident_px <= 0.25


@pytest.mark.golden
@pytest.mark.slow
def test_int8_on_a_real_clip(
    trained: Path, clip: list[np.ndarray], full: PoseModel, openvino: Callable[..., PoseModel], tmp_path: Path
) -> None:
    pytest.importorskip("nncf", reason="int8 needs NNCF")
    OpenVinoExporter().export(trained, tmp_path / "a.xml", precision="int8", frames=clip[::2])
    with full, openvino(tmp_path / "a.xml") as small:
        parity = compare_models(full, small, clip[1::2])
    assert parity.confident >= 20
    assert 1e-2 < parity.p95_confident_px <= 0.5
