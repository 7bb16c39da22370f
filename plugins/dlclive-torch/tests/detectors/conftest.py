"""Detectors with made-up weights that find dozens of things in any picture."""

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
    """`detector` of a configuration as DeepLabCut 3.0.1 writes it, keys without a value included."""
    if kind == "SSDLite":
        return {"model": {"type": kind, "variant": None, "box_score_thresh": None, "freeze_bn_stats": True}}
    return {"model": {"type": "FasterRCNN", "variant": kind, "box_score_thresh": None, "freeze_bn_stats": True}}


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured spots on grey, as far apart as animals are: noise looks the same everywhere after resizing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    image = np.full((height, width, 3), 110.0)
    for _ in range(12):
        y, x, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.03, 0.12) * height
        spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size**2))
        image += spot[..., None] * rng.uniform(-120, 120, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


_LAST = ("cls_logits.weight", "cls_score.weight")
"""Weights that scores come from: as they are made, all scores are nearly the same."""


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
                module.momentum = None  # the plain mean of what it sees
        for name, value in detector.named_parameters():
            if name.endswith(_LAST):
                value.data.mul_(5)
            elif name.endswith(".bias"):  # all zero as they are made, and equal ones become one in an ONNX file
                value.data.add_(torch.randn_like(value), alpha=0.05)
        pixels = torch.from_numpy(np.stack([picture(192, 288, seed) for seed in range(4)])).permute(0, 3, 1, 2)
        images = graph.normalised(pixels)
        if isinstance(detector.resizing, FixedSize):
            images = nn.functional.interpolate(images, (detector.resizing.side,) * 2, mode="bilinear")
        with torch.no_grad():
            detector(images, torch.tensor((float(images.shape[3]), float(images.shape[2]))))
    return graph.eval()


@cache
def _made_up(kind: str) -> DetectorGraph:
    graph = _small(kind)
    fill_detector(graph, _trained(kind).detector.state_dict(), Path("made-up.pt"))
    return graph


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each detector that DeepLabCut offers in turn."""
    return str(request.param)


@pytest.fixture(scope="session", name="options")
def _options() -> Callable[[str], dict[str, Any]]:
    """options(kind): fresh ones."""
    return options


@pytest.fixture(scope="session")
def made_up() -> Callable[[str], DetectorGraph]:
    """made_up(kind): as it is run. It is the same one each time, so that nobody should change it."""
    return _made_up


@pytest.fixture(scope="session")
def trained() -> Callable[[str], DetectorGraph]:
    """trained(kind): the same with its batch norms, in eval mode."""
    return _trained


@pytest.fixture
def finds_nothing(made_up: Callable[[str], DetectorGraph]) -> Callable[[str], DetectorGraph]:
    """finds_nothing(kind): a detector that takes everything for background."""

    def make(kind: str) -> DetectorGraph:
        graph = copy.deepcopy(made_up(kind))
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
def strangers() -> Callable[..., float]:
    """strangers(found, wanted, pixels): which part of the boxes has none like it on the other side.

    Boxes are alike within `pixels` and 0.001 of the score. A rounding may decide which one of two boxes stays, so that
    a few strangers are no error; a wrong formula makes strangers of nearly all.
    """
    return _strangers


def _strangers(found: Mapping[str, Any], wanted: Mapping[str, Any], pixels: float) -> float:
    (boxes, scores), (other, others) = (
        (np.asarray(side["boxes"]), np.asarray(side["scores"])) for side in (found, wanted)
    )
    if not len(scores) or not len(others):
        return float(len(scores) != len(others))
    distances = np.abs(boxes[:, None] - other[None]).max(axis=2)
    alike = (distances <= pixels) & (np.abs(scores[:, None] - others[None]) <= 1e-3)
    return float(max(1 - alike.any(axis=0).mean(), 1 - alike.any(axis=1).mean()))
