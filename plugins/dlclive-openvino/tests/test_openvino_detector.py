"""Top-down networks: in each format, two files that belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from dlclive_openvino.export import OpenVinoExporter
from dlclive_openvino.runtime import OpenVinoNetwork

from dlclive_core import ModelCard, ModelError, ModelNotFoundError, PoseModel, load_model
from dlclive_core.runtimes import detector_beside, sha256

Load = Callable[..., PoseModel]
Pictures = Callable[..., list[np.ndarray]]

SIZE = (128, 160)
"""(height, width) of a crop."""

DETECTOR = """
<ir_version: 10, opset_import: ["": 18]>
detector (uint8[1,H,W,3] image) => (float[2,4] boxes, float[2] scores)
<float[2,4] corners = {0, 0, 160, 128, 20, 10, 180, 138}, float[2] shares = {0.9, 0.6}, float white = {255.0}>
{
    pixels = Cast<to = 1>(image)
    brightest = ReduceMax<keepdims = 0>(pixels)
    share = Div(brightest, white)
    scores = Mul(shares, share)
    boxes = Mul(corners, share)
}
"""


@dataclass
class TopDown:
    path: Path
    detector: Path


@pytest.fixture
def top_down(mouse: Path, tmp_path: Path) -> TopDown:
    """The mouse network for crops, with a detector whose boxes and scores grow with the brightness of the picture."""
    path = tmp_path / "crops.onnx"
    detector = onnx.parser.parse_model(DETECTOR)
    onnx.checker.check_model(detector)
    onnx.save(detector, detector_beside(path))
    model = onnx.load(mouse)
    for index, value in enumerate(SIZE, 1):
        model.graph.input[0].type.tensor_type.shape.dim[index].dim_value = value
    (entry,) = model.metadata_props
    card = ModelCard.from_json(entry.value).with_(
        method="top-down", input_size=SIZE, detector_sha256=sha256(detector_beside(path))
    )
    entry.value = card.to_json()
    onnx.save(model, path)
    return TopDown(path, detector_beside(path))


def exported(top_down: TopDown, kind: str) -> Path:
    """The network as an ONNX file, or exported to OpenVINO's own format."""
    if kind == "onnx":
        return top_down.path
    target = top_down.path.with_name("other.xml")
    OpenVinoExporter().export(top_down.path, target)
    return target


@pytest.mark.parametrize("kind", ["onnx", "xml"])
def test_boxes_are_detected_and_cropped_for_the_pose_network(
    top_down: TopDown, kind: str, openvino: Load, pictures: Pictures
) -> None:
    (image,) = pictures(1, (220, 180))
    image[0, 0] = 255
    path = exported(top_down, kind)
    with OpenVinoNetwork(path, threads=1) as network:
        detector = network.detector()
        assert detector is not None
        detections = detector.detect(image)
        np.testing.assert_allclose(detections, [[0, 0, 160, 128, 0.9], [20, 10, 180, 138, 0.6]], rtol=1e-6)
        assert detections.dtype == np.float32
        np.testing.assert_allclose(detector.detect(image // 2)[:, 4], detections[:, 4] * 127 / 255, rtol=1e-6)
        detector.close()
        with pytest.raises(ModelError, match="closed"):
            detector.detect(image)
    with openvino(path) as model:
        boxes = model.predict(image).boxes
        assert boxes is not None
        np.testing.assert_allclose(boxes, detections[:1], rtol=1e-6)  # the mouse is alone


def test_an_export_writes_network_and_detector_as_four_files(top_down: TopDown) -> None:
    target = exported(top_down, "xml")
    written = {item.name for item in target.parent.iterdir()} - {top_down.path.name, top_down.detector.name}
    assert written == {"other.xml", "other.bin", "other.detector.xml", "other.detector.bin"}
    with load_model(target, threads=1) as model:
        assert model.card.detector_sha256 == sha256(detector_beside(target))


def test_a_missing_or_changed_detector_is_rejected(top_down: TopDown) -> None:
    target = exported(top_down, "xml")
    beside = detector_beside(target)
    beside.write_text(beside.read_text() + " ")
    with pytest.raises(ModelError, match="is not the detector that"):
        OpenVinoNetwork(target).detector()
    beside.unlink()
    with pytest.raises(ModelNotFoundError, match=r"other\.detector\.xml is not beside it"):
        OpenVinoNetwork(target).detector()
    assert OpenVinoNetwork(target, detector=top_down.detector).detector() is not None


def test_a_pose_network_is_rejected_as_a_detector(top_down: TopDown, mouse: Path) -> None:
    with pytest.raises(
        ModelError, match=r"mouse\.onnx takes image and gives keypoints, not image and boxes and scores"
    ):
        OpenVinoNetwork(top_down.path, detector=mouse).detector()
