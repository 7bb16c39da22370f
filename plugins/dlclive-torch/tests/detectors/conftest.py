"""Detectors with random weights, which give dozens of detections in any picture."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.detectors.build import build_detector, fill_detector
from dlclive_torch.detectors.faster_rcnn import FasterRcnn
from dlclive_torch.detectors.graph import DetectorGraph
from dlclive_torch.detectors.resizing import FixedSize, ShorterSide
from numpy.typing import NDArray
from torch import nn

KINDS = ("SSDLite", "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn_v2")


def options(kind: str) -> dict[str, Any]:
    """`detector` of a DeepLabCut 3.0.1 configuration, including keys without a value."""
    if kind == "SSDLite":
        return {"model": {"type": kind, "variant": None, "box_score_thresh": None, "freeze_bn_stats": True}}
    return {"model": {"type": "FasterRCNN", "variant": kind, "box_score_thresh": None, "freeze_bn_stats": True}}


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw coloured spots on grey, spaced like animals: noise would look the same everywhere after resizing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    image = np.full((height, width, 3), 110.0)
    for _ in range(12):
        y, x, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.03, 0.12) * height
        spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size**2))
        image += spot[..., None] * rng.uniform(-120, 120, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


_LAST = ("cls_logits.weight", "cls_score.weight")
"""Weights of the score layers: their initial values give nearly equal scores."""


def _small(kind: str) -> DetectorGraph:
    graph = build_detector(options(kind), "imagenet")
    if isinstance(graph.detector, FasterRcnn):
        graph.detector.resizing = ShorterSide(192, 320)  # a sixteenth of the pixels
        graph.detector.settings = replace(graph.detector.settings, proposals=100)  # a tenth
    return graph


@cache
def _trained(kind: str) -> DetectorGraph:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        graph = _small(kind)
        detector = graph.detector.train()
        for module in detector.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # cumulative average
        for name, value in detector.named_parameters():
            if name.endswith(_LAST):
                value.data.mul_(5)
            elif name.endswith(".bias"):  # initially all zero; an ONNX file would merge equal ones
                value.data.add_(torch.randn_like(value), alpha=0.05)
        pixels = torch.from_numpy(np.stack([picture(192, 288, seed) for seed in range(4)])).permute(0, 3, 1, 2)
        images = graph.normalised(pixels)
        if isinstance(detector.resizing, FixedSize):
            images = nn.functional.interpolate(images, (detector.resizing.side,) * 2, mode="bilinear")
        with torch.no_grad():
            detector(images, torch.tensor((float(images.shape[3]), float(images.shape[2]))))
    return graph.eval()


@cache
def _detector(kind: str) -> DetectorGraph:
    graph = _small(kind)
    fill_detector(graph, _trained(kind).detector.state_dict(), Path("made-up.pt"))
    return graph


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each detector in turn."""
    return str(request.param)


@pytest.fixture(scope="session", name="options")
def _options() -> Callable[[str], dict[str, Any]]:
    """options(kind): a fresh copy of the options."""
    return options


@pytest.fixture(scope="session")
def detector() -> Callable[[str], DetectorGraph]:
    """detector(kind): a detector ready to run. It is cached; do not modify it."""
    return _detector


@pytest.fixture(scope="session")
def trained() -> Callable[[str], DetectorGraph]:
    """trained(kind): the same detector before folding, in eval mode."""
    return _trained


@pytest.fixture
def finds_nothing(detector: Callable[[str], DetectorGraph]) -> Callable[[str], DetectorGraph]:
    """finds_nothing(kind): a detector that classifies everything as background."""

    def make(kind: str) -> DetectorGraph:
        graph = copy.deepcopy(detector(kind))
        for name, value in graph.detector.state_dict().items():
            if name.endswith("cls_score.bias") or ("classification_head" in name and name.endswith(".1.bias")):
                value[::2], value[1::2] = 1000.0, -1000.0  # background, animal, and so on for each anchor
        return graph

    return make


@pytest.fixture(scope="session", name="picture")
def _picture() -> Callable[..., NDArray[np.uint8]]:
    """Spots on grey: picture(height, width, seed=0)."""
    return picture


@pytest.fixture(scope="session")
def unmatched() -> Callable[..., float]:
    """unmatched(actual, expected, pixels): the fraction of boxes without a match on the other side.

    Boxes match within `pixels` and 0.001 of the score. Rounding may decide which of two boxes is kept, so a few unmatched
    boxes are not an error; with a wrong formula nearly all boxes are unmatched.
    """
    return _unmatched


def _unmatched(actual: Mapping[str, Any], expected: Mapping[str, Any], pixels: float) -> float:
    (boxes, scores), (other, others) = (
        (np.asarray(side["boxes"]), np.asarray(side["scores"])) for side in (actual, expected)
    )
    if not len(scores) or not len(others):
        return float(len(scores) != len(others))
    distances = np.abs(boxes[:, None] - other[None]).max(axis=2)
    alike = (distances <= pixels) & (np.abs(scores[:, None] - others[None]) <= 1e-3)
    return float(max(1 - alike.any(axis=0).mean(), 1 - alike.any(axis=1).mean()))
