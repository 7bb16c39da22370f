"""Untrained detectors that detect something. Needs deeplabcut."""

from __future__ import annotations

from typing import Any
from unittest import mock

import torch
import torchvision
from deeplabcut.pose_estimation_pytorch.models.detectors import DETECTORS
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from tools.parity.fitted_weights import take_statistics

SHIFT = {"rpn": 0.1, "box": 0.5}
"""The standard deviation of the offsets to anchors and proposals, in the units of torchvision's box coders."""
SURE, SPREAD = 5.0, 2.5
"""The highest logit of the scores, and the standard deviation of the logits. The first dozens of scores are above 0.9."""


def build(options: Any) -> nn.Module:
    """DeepLabCut's detector of a configuration; keys with the value None are left out.

    DeepLabCut's Faster R-CNN always requests a backbone trained on ImageNet; here it gets a random one.
    """
    set_options = {key: value for key, value in dict(options).items() if value is not None}
    with mock.patch.object(WeightsEnum, "get_state_dict", _random):
        return DETECTORS.build(set_options)


def _random(weights: WeightsEnum, *_: Any, **__: Any) -> dict[str, Any]:
    name = type(weights).__name__.removesuffix("_Weights").lower()
    return getattr(torchvision.models, name)(weights=None).state_dict()


def make_confident(detector: nn.Module, images: Tensor) -> None:
    """Scale a random detector in place, so that some boxes in these images (N, 3, H, W) have high scores."""
    detector.eval()
    network = detector.model
    take_statistics(network.backbone, images)
    transformed, _ = network.transform(list(images[:1]))
    with torch.no_grad():
        if hasattr(network, "rpn"):
            _two_stages(network, transformed)
        else:
            take_statistics(network.head, list(network.backbone(images).values()))
            _one_stage(network, list(network.backbone(transformed.tensors).values()))


def _one_stage(network: Any, features: list[Tensor]) -> None:
    classes, offsets = network.head.classification_head, network.head.regression_head
    _spread([module[-1] for module in classes.module_list], classes(features).flatten(0, 1), classes=2)
    _settle([module[-1] for module in offsets.module_list], offsets(features), SHIFT["box"])


def _two_stages(network: Any, images: Any) -> None:
    features = network.backbone(images.tensors)
    objectness, offsets = network.rpn.head(list(features.values()))
    _spread([network.rpn.head.cls_logits], _flat(objectness)[:, None], classes=1)
    _settle([network.rpn.head.bbox_pred], _flat(offsets), SHIFT["rpn"])
    heads, predictor = network.roi_heads, network.roi_heads.box_predictor
    proposals, _ = network.rpn(images, features)
    logits, offsets = predictor(heads.box_head(heads.box_roi_pool(features, proposals, images.image_sizes)))
    _spread([predictor.cls_score], logits, classes=2)
    _settle([predictor.bbox_pred], offsets, SHIFT["box"])


def _flat(levels: list[Tensor]) -> Tensor:
    return torch.cat([level.flatten() for level in levels])


def _settle(layers: list[nn.Module], offsets: Tensor, deviation: float) -> None:
    """Scale the layers that move boxes."""
    for layer in layers:
        for parameter in layer.parameters():
            parameter.mul_(deviation / float(offsets.std()))


def _spread(layers: list[nn.Module], logits: Tensor, classes: int) -> None:
    """Scale the layers that computed these logits (M, classes), and shift the last class, the animal."""
    margin = logits[:, -1] - (logits[:, 0] if classes > 1 else 0)
    factor = SPREAD / margin.std()
    shift = SURE - factor * margin.amax()
    for layer in layers:
        layer.weight.mul_(factor)
        layer.bias.mul_(factor)
        layer.bias.view(-1, classes)[:, -1] += shift
