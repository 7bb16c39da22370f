"""Faster R-CNN with a feature pyramid, in the variants that DeepLabCut offers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import IMAGENET_MEAN, IMAGENET_STD
from dlclive_torch.detectors.anchors import cell_anchors, spread_anchors
from dlclive_torch.detectors.boxes import (
    Regression,
    clip_boxes,
    decode_boxes,
    discard_below,
    discard_smaller,
    suppress,
)
from dlclive_torch.detectors.graph import Detector
from dlclive_torch.detectors.resizing import ShorterSide
from dlclive_torch.detectors.torchvision_layers import import_torchvision, make_layers


@dataclass(frozen=True, slots=True)
class Variant:
    """The settings of a variant, as torchvision trains and runs it.

    Args:
        sides: sides of the anchors [px], for each map of the pyramid.
        strides: strides [px] of the maps that the second stage uses, the first ones of the pyramid. Of two maps with the
            same stride it uses only the first.
        resizing: resizing of the image.
        proposal_score: lowest score of a box that the first stage proposes.
        proposals: maximum number of proposals, in total and from one map.
    """

    sides: tuple[tuple[int, ...], ...]
    strides: tuple[int, ...]
    resizing: ShorterSide
    proposal_score: float
    proposals: int


_LARGE = ShorterSide(800, 1333)
_SMALL = ShorterSide(320, 640)
_SIDES = (32, 64, 128, 256, 512)
_ALL_SIDES_EVERYWHERE = (_SIDES,) * 3
_ONE_SIDE_EACH = tuple((side,) for side in _SIDES)

VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "fasterrcnn_mobilenet_v3_large_fpn": Variant(_ALL_SIDES_EVERYWHERE, (32,), _LARGE, 0.05, 1000),
        "fasterrcnn_mobilenet_v3_large_320_fpn": Variant(_ALL_SIDES_EVERYWHERE, (32,), _SMALL, 0.05, 150),
        "fasterrcnn_resnet50_fpn": Variant(_ONE_SIDE_EACH, (4, 8, 16, 32), _LARGE, 0.0, 1000),
        "fasterrcnn_resnet50_fpn_v2": Variant(_ONE_SIDE_EACH, (4, 8, 16, 32), _LARGE, 0.0, 1000),
    }
)
"""Name of torchvision's function, which is `variant` in DeepLabCut's configuration -> its settings."""

_RATIOS = (0.5, 1.0, 2.0)
_PROPOSAL_REGRESSION = Regression(centre=1.0, size=1.0)
_PROPOSAL_OVERLAP = 0.7
_PROPOSAL_SIDE = 1e-3
_REGRESSION = Regression(centre=10.0, size=5.0)
_OVERLAP = 0.5
_SIDE = 1e-2
_LIMIT = 100
_WINDOW = 7
"""Rows and columns of the window that the second stage pools from each proposal."""


class FasterRcnn(Detector):
    """A first stage that proposes boxes, and a second stage that classifies and refines them (Ren et al. 2015).

    Args:
        variant: one of VARIANTS.
        score: boxes need a score above this.
    """

    def __init__(self, variant: str, score: float) -> None:
        settings = VARIANTS[variant]
        super().__init__(make_layers(variant, num_classes=2), IMAGENET_MEAN, IMAGENET_STD, settings.resizing)
        self.settings = settings
        self.score = score
        for index, sides in enumerate(settings.sides):
            self.register_buffer(f"cell{index}", cell_anchors(sides, _RATIOS), persistent=False)

    @property
    def classifier(self) -> str:
        return "roi_heads.box_predictor.cls_score.weight"

    def forward(self, images: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        maps = list(self.model.backbone(images).values())
        proposals = self._propose(maps, images, inside)
        return self._refine(maps, proposals, inside)

    def _propose(self, maps: Sequence[Tensor], images: Tensor, inside: Tensor) -> Tensor:
        """Return up to `proposals` boxes (P, 4), best first."""
        boxes, scores = zip(*(self._propose_at(index, maps, images, inside) for index in range(len(maps))), strict=True)
        order = torch.cat(scores).argsort(descending=True)[: self.settings.proposals]
        return torch.cat(boxes)[order]

    def _propose_at(self, index: int, maps: Sequence[Tensor], images: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        cell: Tensor = getattr(self, f"cell{index}")
        grid = maps[index].shape[2:]
        (logits,), (deltas,) = self.model.rpn.head([maps[index]])
        logits = logits[0].permute(1, 2, 0).flatten()
        deltas = deltas[0].view(len(cell), 4, *grid).permute(2, 3, 0, 1).reshape(-1, 4)
        limit = self.settings.proposals
        # Pad to at least `limit` logits for top-k: with a dynamic size, the number of anchors is dynamic.
        logits = torch.cat([logits, logits.new_full((limit,), -torch.inf)])
        best_logits, best = logits.topk(limit)
        best = best.clamp(max=deltas.shape[0] - 1)
        anchors = spread_anchors(cell, (grid[0], grid[1]), (images.shape[2], images.shape[3]))
        boxes = clip_boxes(decode_boxes(deltas[best], anchors[best], _PROPOSAL_REGRESSION), inside)
        scores = discard_below(best_logits.sigmoid(), self.settings.proposal_score, inclusive=True)
        scores = torch.where(best_logits > -torch.inf, scores, -1.0)
        return suppress(boxes, discard_smaller(boxes, scores, _PROPOSAL_SIDE), _PROPOSAL_OVERLAP, limit)

    def _refine(self, maps: Sequence[Tensor], proposals: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        proposals, windows = self._windows(maps, proposals)
        logits, deltas = self.model.roi_heads.box_predictor(self.model.roi_heads.box_head(windows))
        scores = discard_below(logits.softmax(dim=-1)[:, 1], self.score, inclusive=False)
        boxes = clip_boxes(decode_boxes(deltas[:, 4:], proposals, _REGRESSION), inside)
        return suppress(boxes, discard_smaller(boxes, scores, _SIDE), _OVERLAP, _LIMIT)

    def _windows(self, maps: Sequence[Tensor], proposals: Tensor) -> tuple[Tensor, Tensor]:
        """Return the proposals (P, 4), reordered by level, and their windows of the maps (P, C, 7, 7)."""
        align = import_torchvision("ops").roi_align
        levels = _choose_levels(proposals, self.settings.strides)
        ordered, windows = [], []
        for level, stride in enumerate(self.settings.strides):
            boxes = proposals[(levels == level).nonzero().squeeze(1)]
            rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], dim=1)
            windows.append(align(maps[level], rois, (_WINDOW, _WINDOW), 1 / stride, 2, False))
            ordered.append(boxes)
        return torch.cat(ordered), torch.cat(windows)


def _choose_levels(boxes: Tensor, strides: Sequence[int]) -> Tensor:
    """Return the map index of each box, from 0 (Lin et al. 2017, feature pyramid networks, equation 1).

    A box of 224 px, the size of an ImageNet image, belongs to the map of stride 16; a box of half that side, one map lower.
    """
    first, last = (int(math.log2(stride)) for stride in (strides[0], strides[-1]))
    sides = boxes[:, 2:] - boxes[:, :2]
    levels = torch.floor(4 + torch.log2((sides[:, 0] * sides[:, 1]).sqrt() / 224) + 1e-6)
    return levels.clamp(min=first, max=last) - first


def build_faster_rcnn(options: Mapping[str, Any]) -> FasterRcnn:
    """Build the variant given in the options; boxes need a score above `box_score_thresh`.

    Raises:
        UnsupportedModelError: the variant is unknown.
    """
    variant = options.get("variant", "fasterrcnn_mobilenet_v3_large_fpn")
    if variant not in VARIANTS:
        raise UnsupportedModelError(f"no Faster R-CNN {variant!r} in dlclive-torch; supported: {', '.join(VARIANTS)}")
    return FasterRcnn(variant, float(options.get("box_score_thresh", 0.01)))
