"""What fp32 leaves open: how far a source's poses in fp32 are from its own in a finer precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.export.parity import Answer, answers, compare_answers
from dlclive_core.models.load import choose_runtime, load_model
from dlclive_core.models.network import Network
from dlclive_core.plugins.catalog import PluginCatalog


@dataclass(frozen=True, slots=True)
class Rounding:
    """Distances of a source's poses in fp32 from those of the same network in a finer precision.

    Attributes:
        precision: the finer one, "fp64".
        px: the largest distance over all keypoints, in pixels; infinite if one of them was found in one precision only.
        p50_px: the median of all keypoints.
        confidence: the 95th percentile of the differences in confidence.
    """

    precision: str
    px: float
    p50_px: float
    confidence: float

    def __str__(self) -> str:
        return (
            f"fp32 itself leaves {self.px:.3f} px (median {self.p50_px:.3f} px) and {self.confidence:.3f} in confidence open "
            f"for this network, which is how far its own poses in fp32 and {self.precision} differ"
        )


def measure_rounding(
    source: Path,
    poses: Sequence[Answer],
    images: Sequence[NDArray[np.uint8]],
    catalog: PluginCatalog,
    boxes: Sequence[NDArray[np.float32] | None] | None = None,
) -> Rounding | None:
    """Run the source in its runtime's finer precision; None if its runtime has none.

    Args:
        poses: what the source answered in fp32 for these (H, W, 3) uint8 RGB images.
        boxes: as in `answers`.
    """
    _, info = choose_runtime(source, None, catalog)
    factory = catalog.factory(info)
    precision = factory.finer_precision if issubclass(factory, Network) else None
    if precision is None:
        return None
    with load_model(source, device="cpu", precision=precision, catalog=catalog) as model:
        exact = answers(model, images, detect=False, boxes=boxes)
    parity = compare_answers(exact, [replace(answer, boxes=None) for answer in poses])
    return Rounding(precision, px=parity.max_px, p50_px=parity.p50_px, confidence=parity.p95_confidence)
