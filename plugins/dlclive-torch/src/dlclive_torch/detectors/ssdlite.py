"""SSDLite on MobileNetV3 at 320 x 320, DeepLabCut's default detector."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from dlclive_torch.detectors.anchors import default_boxes
from dlclive_torch.detectors.boxes import Regression, clip_boxes, decode_boxes, discard_below, suppress
from dlclive_torch.detectors.graph import Detector
from dlclive_torch.detectors.resizing import FixedSize
from dlclive_torch.detectors.torchvision_layers import import_torchvision, make_layers

_SIDE = 320
_GRIDS = (20, 10, 5, 3, 2, 1)
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
_RATIOS = (2.0, 3.0)
_REGRESSION = Regression(centre=10.0, size=5.0)
_SCORE = 0.001
"""DeepLabCut does not pass `box_score_thresh` to this detector, so it is ignored here, too."""
_OVERLAP = 0.55
_LIMIT = 300
_LAST_STAGE = 13
"""The block of MobileNetV3 that begins its last stage. The first map is taken inside this block, the second at the end."""
_FULL_CHANNELS = (672, 960, 512, 256, 256, 128)


class SsdLite(Detector):
    """Single-shot detector (Liu et al. 2016) with the light heads of Sandler et al. 2018 and one class, animal.

    Args:
        full_tail: whether the last stage of MobileNetV3 has all of its channels, as after pretraining on ImageNet, or half
            of them, as after pretraining on COCO.
    """

    anchors = 6
    folds = False

    def __init__(self, *, full_tail: bool = False) -> None:
        model = _full_tail() if full_tail else make_layers("ssdlite320_mobilenet_v3_large", num_classes=2)
        super().__init__(model, (0.5,) * 3, (0.5,) * 3, FixedSize(_SIDE))
        self.boxes: Tensor
        self.register_buffer("boxes", default_boxes(_GRIDS, _SCALES, _RATIOS, _SIDE), persistent=False)

    @property
    def classifier(self) -> str:
        return "head.classification_head.module_list.0.1.weight"

    def forward(self, images: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        outputs = self.model.head(list(self.model.backbone(images).values()))
        scores = outputs["cls_logits"][0].softmax(dim=-1)[:, 1]
        scores, best = discard_below(scores, _SCORE, inclusive=False).topk(_LIMIT)
        boxes = decode_boxes(outputs["bbox_regression"][0, best], self.boxes[best], _REGRESSION)
        return suppress(clip_boxes(boxes, inside), scores, _OVERLAP, _LIMIT)


def _full_tail() -> nn.Module:
    """Assemble the model from its parts: torchvision's function for this variant always downloads weights."""
    ssdlite = import_torchvision("models.detection.ssdlite")
    norm = partial(nn.BatchNorm2d, eps=0.001)
    mobilenet = import_torchvision("models").mobilenet_v3_large(weights=None, norm_layer=norm, reduced_tail=False)
    model = nn.Module()
    model.backbone = ssdlite.SSDLiteFeatureExtractorMobileNet(mobilenet.features, _LAST_STAGE, norm)
    model.head = ssdlite.SSDLiteHead(list(_FULL_CHANNELS), [SsdLite.anchors] * len(_GRIDS), 2, norm)
    return model
