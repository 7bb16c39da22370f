"""How many operations the network takes on each size of picture: asked of a runtime that can count them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.data.frame import as_rgb
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.load import load_model
from dlclive_core.models.outputs import network_input
from dlclive_core.plugins.catalog import PluginCatalog


def count_operations(measured: Sequence[Measurement], catalog: PluginCatalog) -> dict[tuple[int, int], float]:
    """Operations by (width, height) of the picture, for networks that look at whole pictures.

    They are those of the network, whatever a runtime makes of it: the first candidate in fp32 whose runtime can count is
    asked for all of them.
    """
    sizes = dict.fromkeys(one.seen for one in measured if one.seen is not None and one.candidate.follow is None)
    found: dict[tuple[int, int], float] = {}
    for one in sorted(measured, key=lambda one: one.candidate.precision != "fp32"):
        left = [size for size in sizes if size is not None and size not in found]
        if left and one.seen is not None:
            found |= _ask(one, left, catalog)
    return found


def _ask(one: Measurement, sizes: Sequence[tuple[int, int]], catalog: PluginCatalog) -> dict[tuple[int, int], float]:
    how = one.candidate
    counted: dict[tuple[int, int], float] = {}
    try:
        with load_model(
            how.path, how.runtime, device=how.device, precision=how.precision, catalog=catalog, **how.options
        ) as model:
            if not isinstance(model, BottomUpModel):
                return {}
            for width, height in sizes:
                images = network_input(model.card, as_rgb(np.full((height, width), 127, np.uint8))[None])
                operations = model.network.operations(images)
                if np.isfinite(operations):
                    counted[width, height] = operations
    except Exception:  # the share of the peak is not worth a benchmark
        return counted
    return counted
