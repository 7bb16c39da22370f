"""DeepLabCut's decoding of heatmaps, which is not here: a network of dlclive decodes its own."""

from __future__ import annotations

from typing import Any

from dlclive_core import UnsupportedModelError

__all__ = ["HeatmapPredictor"]


class HeatmapPredictor:
    """Not here: use `DLCLive`, or `dlclive_core.load_model`."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise UnsupportedModelError(
            "dlclive.predictor.HeatmapPredictor is not part of dlclive, whose networks decode their own heatmaps: use DLCLive, "
            "or dlclive_core.load_model(path).predict(image)"
        )
