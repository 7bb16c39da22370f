"""Read the tables in a folder with movement. It takes tables whose animals have the same keypoints: none with unique ones."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from movement.io import load_poses
from truth import Points, check, tables

NAMES = ("individual", "individuals"), ("keypoint", "keypoints")  # 0.17 and later, before


def points_of(path: Path) -> Points:
    data = load_poses.from_dlc_file(path, fps=30)
    individuals, keypoints = (next(name for name in pair if name in data.coords) for pair in NAMES)
    names = data.coords[individuals].values.tolist()
    read = {}
    for individual in names:
        for keypoint in data.coords[keypoints].values.tolist():
            part = data.sel({individuals: individual, keypoints: keypoint})
            values = part.position.transpose("time", "space").values, part.confidence.values[:, None]
            read["" if len(names) == 1 else str(individual), str(keypoint)] = np.hstack(values)
    return read


count = 0
for path, expected in tables(sys.argv[1], "single", "several", "wide"):
    for file in (path, path.with_suffix(".csv")):
        count += check("movement", file, points_of(file), expected)
print(f"movement {version('movement')}: {count} values are equal")
