"""SSDLite on MobileNetV3 at 320 x 320: the detector that DeepLabCut takes unless told otherwise."""

from __future__ import annotations

from torch import Tensor

from dlclive_torch.detectors.anchors import default_boxes
from dlclive_torch.detectors.boxes import Regression, clip_boxes, decode_boxes, discard_below, suppress
from dlclive_torch.detectors.graph import Detector
from dlclive_torch.detectors.resizing import FixedSize
from dlclive_torch.detectors.torchvision_layers import make_layers

_SIDE = 320
_GRIDS = (20, 10, 5, 3, 2, 1)
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
_RATIOS = (2.0, 3.0)
_REGRESSION = Regression(centre=10.0, size=5.0)
_SCORE = 0.001
"""DeepLabCut's `box_score_thresh` does not reach this detector, so it is not read here either."""
_OVERLAP = 0.55
_LIMIT = 300


class SsdLite(Detector):
    """Single-shot detector (Liu et al. 2016) with the light heads of Sandler et al. 2018 and one class, animal."""

    anchors = 6

    def __init__(self) -> None:
        model = make_layers("ssdlite320_mobilenet_v3_large", num_classes=2)
        super().__init__(model, (0.5,) * 3, (0.5,) * 3, FixedSize(_SIDE))
        self.boxes: Tensor
        self.register_buffer("boxes", default_boxes(_GRIDS, _SCALES, _RATIOS, _SIDE), persistent=False)

    @property
    def classifier(self) -> str:
        return "head.classification_head.module_list.0.1.weight"

    def forward(self, images: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model.head(list(self.model.backbone(images).values()))
        scores = found["cls_logits"][0].softmax(dim=-1)[:, 1]
        scores, best = discard_below(scores, _SCORE, inclusive=False).topk(_LIMIT)
        boxes = decode_boxes(found["bbox_regression"][0, best], self.boxes[best], _REGRESSION)
        return suppress(clip_boxes(boxes, inside), scores, _OVERLAP, _LIMIT)
