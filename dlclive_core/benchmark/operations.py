"""Counts the network's operations for each input size, with a runtime that can count them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.data.frame import as_rgb
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.load import load_model
from dlclive_core.models.outputs import network_input
from dlclive_core.plugins.catalog import PluginCatalog


def count_operations(measurements: Sequence[Measurement], catalog: PluginCatalog) -> dict[tuple[int, int], float]:
    """Operations by (width, height) of the input, for networks that see whole images.

    Counts the operations of the network itself, before a runtime's optimisations, with the first fp32 candidate whose
    runtime can count.
    """
    sizes = dict.fromkeys(
        measurement.input_size
        for measurement in measurements
        if measurement.input_size is not None and measurement.candidate.follow is None
    )
    operations: dict[tuple[int, int], float] = {}
    for measurement in sorted(measurements, key=lambda item: item.candidate.precision != "fp32"):
        missing = [size for size in sizes if size is not None and size not in operations]
        if missing and measurement.input_size is not None:
            operations |= _count(measurement.candidate, missing, catalog)
    return operations


def _count(
    candidate: Candidate, sizes: Sequence[tuple[int, int]], catalog: PluginCatalog
) -> dict[tuple[int, int], float]:
    counts: dict[tuple[int, int], float] = {}
    try:
        with load_model(
            candidate.path,
            candidate.runtime,
            device=candidate.device,
            precision=candidate.precision,
            catalog=catalog,
            **candidate.options,
        ) as model:
            if not isinstance(model, BottomUpModel):
                return {}
            for width, height in sizes:
                images = network_input(model.card, as_rgb(np.full((height, width), 127, np.uint8))[None])
                operations = model.network.operations(images)
                if np.isfinite(operations):
                    counts[width, height] = operations
    except Exception:  # a benchmark without operation counts is better than none
        return counts
    return counts
