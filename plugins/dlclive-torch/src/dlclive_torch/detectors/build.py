"""Build a detector's graph from a configuration, and fill in its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from dlclive_core import ModelError, UnsupportedModelError
from dlclive_core.runtimes import Normalisation
from dlclive_torch.detectors.faster_rcnn import build_faster_rcnn
from dlclive_torch.detectors.graph import Detector, DetectorGraph
from dlclive_torch.detectors.ssdlite import SsdLite
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.weights import fill_weights

DETECTORS: Mapping[str, Callable[[Mapping[str, Any]], Detector]] = MappingProxyType(
    {
        "FasterRCNN": build_faster_rcnn,
        "SSDLite": lambda options: SsdLite(full_tail=bool(options.get("pretrained_from_imagenet"))),
    }
)
"""`type` in DeepLabCut's configuration -> a function from the options to the detector without weights."""


def build_detector(options: Mapping[str, Any], normalisation: Normalisation) -> DetectorGraph:
    """Build a detector without its weights.

    Args:
        options: `detector` of the configuration. Uses `type`, `variant`, `box_score_thresh` and
            `pretrained_from_imagenet` of its `model`.
        normalisation: normalisation of the image, as in `detector.data.inference` of the configuration.

    Raises:
        UnsupportedModelError: the type or variant is not supported.
        DependencyError: torchvision is missing.
    """
    model = {name: value for name, value in (options.get("model") or {}).items() if value is not None}
    name = str(model.get("type"))
    if name not in DETECTORS:
        raise UnsupportedModelError(f"no detector {name!r} in dlclive-torch; supported: {', '.join(sorted(DETECTORS))}")
    return DetectorGraph(DETECTORS[name](model), normalisation=normalisation)


def fill_detector(graph: DetectorGraph, weights: Mapping[str, Tensor], path: Path) -> None:
    """Fill in the weights of a file, in place, and prepare the graph for inference.

    Args:
        graph: from `build_detector`.
        weights: `detector` of the file.
        path: the file, for error messages.

    Raises:
        ModelError: the weights do not match the network, or have classes other than background and animal.
    """
    detector = graph.detector
    classifier = weights.get(f"model.{detector.classifier}")
    if classifier is not None:
        classes = classifier.shape[0] // detector.anchors
        if classes != 2:
            raise ModelError(f"the detector in {path} has {classes} classes, expected 2 (background and animal)")
    fill_weights(detector, weights, path)
    graph.eval()
    if detector.folds:
        fold_batch_norms(detector)
