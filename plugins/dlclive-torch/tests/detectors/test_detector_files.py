"""Detectors as ONNX files: the same boxes as in PyTorch, for any image size."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from dlclive_torch.detectors.build import build_detector
from dlclive_torch.detectors.graph import DetectorGraph
from dlclive_torch.detectors.onnx_file import write_detector_onnx
from dlclive_torch.detectors.onnx_preprocessing import preprocessing_graph
from numpy.typing import NDArray
from onnx import numpy_helper

from dlclive_core import DataError

pytestmark = pytest.mark.slow

SIZES = [(480, 640), (217, 333), (1024, 1280), (640, 360)]


@pytest.fixture(scope="module")
def export(detector: Callable[[str], DetectorGraph], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("detectors")

    def write(kind: str) -> Path:
        path = folder / f"{kind}.onnx"
        if not path.exists():
            write_detector_onnx(detector(kind), path, {"dlclive.note": kind})
        return path

    return write


@pytest.fixture
def exported(kind: str, export: Callable[[str], Path]) -> Path:
    return export(kind)


def _session(model: str | bytes) -> Any:
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _find(session: Any, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    return dict(zip(("boxes", "scores"), session.run(["boxes", "scores"], {"image": image[None]}), strict=True))


def test_the_file_matches_pytorch_for_any_size(
    exported: Path,
    kind: str,
    detector: Callable[[str], DetectorGraph],
    picture: Callable[..., NDArray[np.uint8]],
    unmatched: Callable[..., float],
) -> None:
    session = _session(str(exported))
    for height, width in SIZES:
        image = picture(height, width, 7)
        with torch.inference_mode():
            expected = detector(kind)(torch.from_numpy(image)[None])
        detections = _find(session, image)
        assert len(detections["scores"]) > 20
        assert unmatched(detections, expected, 0.05) < 0.03
        assert (np.diff(detections["scores"]) <= 0).all()
        assert {values.dtype for values in detections.values()} == {np.dtype(np.float32)}


def test_without_detections_the_outputs_have_no_rows(exported: Path, picture: Callable[..., NDArray[np.uint8]]) -> None:
    model = onnx.load(exported)
    changed = 0
    for item in model.graph.initializer:
        if item.name.endswith("cls_score.bias") or (
            "classification_head" in item.name and item.name.endswith(".1.bias")
        ):
            values = numpy_helper.to_array(item).copy()
            values[::2], values[1::2] = 1000.0, -1000.0
            item.CopyFrom(numpy_helper.from_array(values, item.name))
            changed += 1
    assert changed in (1, 6)
    detections = _find(_session(model.SerializeToString()), picture(60, 80))
    assert (detections["boxes"].shape, detections["scores"].shape) == ((0, 4), (0,))


def test_the_second_stage_accepts_no_proposals(
    exported: Path, kind: str, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    model = onnx.load(exported)
    logits = [item for item in model.graph.initializer if item.name.endswith("rpn.head.cls_logits.bias")]
    assert len(logits) == (kind != "SSDLite")
    for item in logits:
        values = numpy_helper.to_array(item)
        item.CopyFrom(numpy_helper.from_array(np.full_like(values, -np.inf), item.name))
        detections = _find(_session(model.SerializeToString()), picture(60, 80))
        assert (detections["boxes"].shape, detections["scores"].shape) == ((0, 4), (0,))


def test_the_file_contains_its_metadata_and_no_paths_of_this_computer(exported: Path, kind: str) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    assert {item.key: item.value for item in model.metadata_props} == {"dlclive.note": kind}
    session = _session(str(exported))
    assert [(item.name, item.shape) for item in session.get_inputs()] == [("image", [1, "height", "width", 3])]
    assert [(item.name, item.shape) for item in session.get_outputs()] == [
        ("boxes", ["animals", 4]),
        ("scores", ["animals"]),
    ]
    data = exported.read_bytes()
    for trace in (b"site-packages", b"dlclive_torch/", str(exported.parent).encode()):
        assert trace not in data


@pytest.mark.parametrize("variant", ["SSDLite", "fasterrcnn_mobilenet_v3_large_fpn"])
def test_preprocessing_matches_pytorch(
    options: Callable[[str], dict[str, Any]],
    picture: Callable[..., NDArray[np.uint8]],
    monkeypatch: pytest.MonkeyPatch,
    variant: str,
) -> None:
    """At the training size, including sides for which rounding decides about a pixel."""
    graph = build_detector(options(variant), "imagenet").eval()
    model = onnx.helper.make_model(
        preprocessing_graph(graph), opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10
    )
    session = _session(model.SerializeToString())
    prepared: list[Any] = []
    monkeypatch.setattr(graph, "find", lambda *arguments: prepared.append(arguments))
    rng = np.random.default_rng(1)
    for height, width in [(480, 640), (217, 333), (1024, 1280), (100, 1000), *rng.integers(30, 500, (6, 2)).tolist()]:
        image = picture(height, width)
        graph(torch.from_numpy(image)[None])
        detections = session.run(["images", "inside", "ratio"], {"image": image[None]})
        for actual, expected in zip(detections, prepared.pop(), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-3)  # values are between -18 and 18


def test_exporting_is_silent_and_reproducible(
    export: Callable[[str], Path],
    detector: Callable[[str], DetectorGraph],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = export("SSDLite").read_bytes()
    capfd.readouterr()
    with caplog.at_level(logging.WARNING):
        write_detector_onnx(detector("SSDLite"), tmp_path / "a.onnx", {"dlclive.note": "SSDLite"})
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert (tmp_path / "a.onnx").read_bytes() == first


def test_a_missing_folder_is_a_data_error(detector: Callable[[str], DetectorGraph], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        write_detector_onnx(detector("SSDLite"), tmp_path / "no such folder" / "a.onnx", {})
