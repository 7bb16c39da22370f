"""Complete detectors: compared with torchvision on the same layers, and unsupported options."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.detectors.build import build_detector, fill_detector
from dlclive_torch.detectors.faster_rcnn import VARIANTS, FasterRcnn, _choose_levels
from dlclive_torch.detectors.graph import DetectorGraph
from dlclive_torch.detectors.resizing import FixedSize, ShorterSide
from dlclive_torch.detectors.torchvision_layers import import_torchvision
from torch import Tensor

from dlclive_core import DependencyError, ModelError, UnsupportedModelError, UsageError

Options = Callable[[str], dict[str, Any]]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _as_torchvision_does(graph: DetectorGraph, image: np.ndarray) -> dict[str, Tensor]:
    """Return torchvision's detections with the same layers, in the image as DeepLabCut passes it, normalised once."""
    model, resizing = graph.detector.model, graph.detector.resizing
    if isinstance(resizing, ShorterSide):
        assert isinstance(graph.detector, FasterRcnn)
        model.transform.min_size, model.transform.max_size = (resizing.shorter,), resizing.longer
        proposals = dict.fromkeys(("training", "testing"), graph.detector.settings.proposals)
        model.rpn._pre_nms_top_n = model.rpn._post_nms_top_n = proposals
        model.roi_heads.score_thresh = 0.01  # DeepLabCut's default
    pixels = torch.from_numpy(image).permute(2, 0, 1) / 255
    normalised = (pixels - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    with torch.inference_mode():
        detections: dict[str, Tensor] = model([normalised])[0]
    return detections


@pytest.mark.parametrize(("height", "width"), [(217, 333), (333, 217), (100, 700)])
def test_detections_match_torchvision(
    detector: Callable[[str], DetectorGraph],
    picture: Callable[..., Any],
    unmatched: Callable[..., float],
    kind: str,
    height: int,
    width: int,
) -> None:
    graph, image = detector(kind), picture(height, width, 7)
    with torch.inference_mode():
        detections = graph(torch.from_numpy(image)[None])
    expected = _as_torchvision_does(graph, image)
    assert len(expected["scores"]) > 20
    assert unmatched(detections, expected, 0.02) < 0.03
    assert (detections["scores"].diff() <= 0).all()


def test_weights_of_a_file_load_and_folding_keeps_the_function(
    detector: Callable[[str], DetectorGraph],
    trained: Callable[[str], DetectorGraph],
    picture: Callable[..., Any],
    unmatched: Callable[..., float],
    kind: str,
) -> None:
    """Names in the files are `model.` followed by torchvision's names; a detector has no other weights."""
    source, graph = trained(kind), detector(kind)
    assert {name.split(".")[0] for name in source.detector.state_dict()} == {"model"}
    assert not graph.training
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in graph.modules()) != graph.detector.folds
    image = torch.from_numpy(picture(217, 333, 7))[None]
    with torch.inference_mode():
        assert unmatched(graph(image), source(image), 0.02) < 0.03
    assert {value.dtype for value in graph.state_dict().values() if value.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_variants_match_torchvision(options: Options, variant: str) -> None:
    graph = build_detector(options(variant), "imagenet")
    assert isinstance(graph.detector, FasterRcnn)
    model, settings = graph.detector.model, VARIANTS[variant]
    assert (model.transform.min_size, model.transform.max_size) == (
        (settings.resizing.shorter,),
        settings.resizing.longer,
    )
    assert model.rpn.score_thresh == settings.proposal_score
    assert model.rpn._pre_nms_top_n["testing"] == model.rpn._post_nms_top_n["testing"] == settings.proposals
    assert model.rpn.anchor_generator.sizes == settings.sides
    assert (model.rpn.nms_thresh, model.roi_heads.nms_thresh, model.roi_heads.detections_per_img) == (0.7, 0.5, 100)


def test_the_size_of_the_resized_image_matches_torchvision() -> None:
    """Double precision decides between 799 and 800."""
    transform = import_torchvision("models.detection.transform").GeneralizedRCNNTransform(
        800, 1333, [0.0] * 3, [1.0] * 3
    )
    resizing = ShorterSide(800, 1333)
    assert resizing.resized(480, 640) == (800, 1066)
    assert resizing.resized(100, 1000) == (133, 1333)
    for height, width in np.random.default_rng(0).integers(20, 700, (40, 2)).tolist():
        sizes = transform([torch.zeros(3, height, width)])[0].image_sizes
        assert resizing.resized(height, width) == sizes[0]
    assert FixedSize(320).resized(480, 640) == (320, 320)


def test_boxes_are_assigned_to_levels_by_size() -> None:
    boxes = torch.tensor([[0.0, 0.0, side, side] for side in (20.0, 111.0, 112.0, 223.0, 224.0, 448.0, 2000.0)])
    assert _choose_levels(boxes, (4, 8, 16, 32)).tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert _choose_levels(boxes, (32,)).tolist() == [0] * 7


def test_only_faster_rcnn_has_a_score_option(options: Options) -> None:
    configuration = options("fasterrcnn_mobilenet_v3_large_fpn")
    configuration["model"]["box_score_thresh"] = 0.6
    detector = build_detector(configuration, "imagenet").detector
    assert isinstance(detector, FasterRcnn)
    assert detector.score == 0.6
    detector = build_detector({"model": {"type": "FasterRCNN"}}, "imagenet").detector
    assert isinstance(detector, FasterRcnn)
    assert detector.score == 0.01


def test_without_detections_the_outputs_have_no_rows(
    finds_nothing: Callable[[str], DetectorGraph], picture: Callable[..., Any], kind: str
) -> None:
    with torch.inference_mode():
        detections = finds_nothing(kind)(torch.from_numpy(picture(60, 80))[None])
    assert (detections["boxes"].shape, detections["scores"].shape) == ((0, 4), (0,))


@pytest.mark.parametrize(("kind", "lowest"), [("SSDLite", 0.001), ("fasterrcnn_mobilenet_v3_large_fpn", 0.01)])
def test_boxes_below_the_lowest_score_are_removed(
    detector: Callable[[str], DetectorGraph],
    picture: Callable[..., Any],
    unmatched: Callable[..., float],
    kind: str,
    lowest: float,
) -> None:
    """With a strong bias towards background, scores are on both sides of the threshold."""
    graph, image = copy.deepcopy(detector(kind)), picture(217, 333, 7)
    for name, value in graph.detector.state_dict().items():
        if name.endswith("cls_score.bias") or re.search(r"classification_head\.module_list\.\d+\.1\.bias$", name):
            value[::2] += 8.0 if kind == "SSDLite" else 6.0
    with torch.inference_mode():
        detections, all_of_them = (each(torch.from_numpy(image)[None]) for each in (graph, detector(kind)))
    assert lowest < detections["scores"].min() < 3 * lowest
    assert unmatched(detections, _as_torchvision_does(graph, image), 0.02) < 0.03
    assert 5 < len(detections["scores"]) < len(all_of_them["scores"])


def test_an_ssdlite_pretrained_on_imagenet_has_a_full_last_stage(options: Options, picture: Callable[..., Any]) -> None:
    configuration = options("SSDLite")
    half = build_detector(configuration, "imagenet").detector.state_dict()
    configuration["model"]["pretrained_from_imagenet"] = True
    graph = build_detector(configuration, "imagenet").eval()
    full = graph.detector.state_dict()
    assert list(full) == list(half)
    wider = {name: (value.shape, half[name].shape) for name, value in full.items() if value.shape != half[name].shape}
    assert wider["model.backbone.features.1.0.3.0.weight"] == ((160, 672, 1, 1), (80, 672, 1, 1))
    assert wider["model.head.regression_head.module_list.1.0.0.weight"] == ((960, 1, 3, 3), (480, 1, 3, 3))
    assert not any(name.startswith("model.backbone.features.0") for name in wider)
    with torch.inference_mode():
        assert len(graph(torch.from_numpy(picture(60, 80))[None])["scores"]) > 20


def test_only_one_image_is_accepted(options: Options) -> None:
    graph = build_detector(options("SSDLite"), "imagenet").eval()
    with pytest.raises(UsageError, match="one image"):
        graph(torch.zeros((2, 8, 8, 3), dtype=torch.uint8))
    with pytest.raises(UsageError, match="one image"):
        graph(torch.zeros((8, 8, 3), dtype=torch.uint8))


def test_another_number_of_classes_is_a_model_error(options: Options, kind: str) -> None:
    graph = build_detector(options(kind), "imagenet")
    weights = dict(graph.detector.state_dict())
    name = f"model.{graph.detector.classifier}"
    classifier = weights[name]
    weights[name] = torch.zeros(classifier.shape[0] // 2 * 91, *classifier.shape[1:])
    with pytest.raises(ModelError, match="has 91 classes, expected 2") as error:
        fill_detector(graph, weights, Path("a.pt"))
    assert "\n" not in str(error.value)


def test_mismatched_weights_are_named(options: Options) -> None:
    graph = build_detector(options("SSDLite"), "imagenet")
    with pytest.raises(ModelError, match=r"weights are missing \(model\.backbone"):
        fill_detector(graph, {}, Path("a.pt"))


def test_unknown_detectors_are_rejected_by_name(options: Options) -> None:
    for configuration in ({"model": {"type": "TorchvisionDetectorAdaptor"}}, {"model": None}, {}):
        with pytest.raises(UnsupportedModelError, match=r"no detector .*supported: FasterRCNN, SSDLite"):
            build_detector(configuration, "imagenet")
    with pytest.raises(UnsupportedModelError, match=r"'fasterrcnn_vgg'.*fasterrcnn_resnet50_fpn_v2"):
        build_detector(options("fasterrcnn_vgg"), "imagenet")


def test_without_torchvision_the_message_says_what_to_install(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models.detection", None)
    with pytest.raises(DependencyError, match="pip install torchvision") as error:
        build_detector(options("SSDLite"), "imagenet")
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_no_detector_is_built_with_the_network() -> None:
    """Runs in a separate interpreter without connections and without a download folder."""
    script = f"""
import socket, torch
def refuse(*args, **kwargs):
    raise AssertionError("a connection")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
torch.hub.load_state_dict_from_url = torch.hub.download_url_to_file = refuse
import dlclive_torch.detectors.build as build
for kind in {sorted(VARIANTS)}:
    build.build_detector({{"model": {{"type": "FasterRCNN", "variant": kind}}}}, "imagenet")
build.build_detector({{"model": {{"type": "SSDLite"}}}}, "imagenet")
print("built")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "built", done.stderr
