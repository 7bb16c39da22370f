"""Read the tables in a folder as napari-deeplabcut does when a file is dropped on its window: as a layer of points."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # importing it imports Qt

import numpy as np
from napari_deeplabcut.core.io import read_hdf
from truth import Points, check, tables


def points_of(path: Path, expected: Points) -> Points:
    """Points that are in the layer; the others, which are missing in the table, are filled in."""
    ((data, layer, kind),) = read_hdf(str(path))
    assert kind == "points", kind
    read = {key: np.column_stack((np.full((len(values), 2), np.nan), values[:, 2])) for key, values in expected.items()}
    properties = layer["properties"]
    names = zip(properties["id"], properties["label"], strict=True)
    for (frame, y, x), key, likelihood in zip(data, names, properties["likelihood"], strict=True):
        read[key][int(frame)] = x, y, likelihood
    return read


count = 0
for path, expected in tables(sys.argv[1]):
    count += check("napari-deeplabcut", path, points_of(path, expected), expected)
print(f"napari-deeplabcut {version('napari-deeplabcut')}: {count} values are equal")
