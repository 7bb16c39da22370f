"""Read the single-animal tables in a folder as Anipose does: one for each camera. It knows no individuals."""

from __future__ import annotations

import sys

import numpy as np
from aniposelib.utils import load_pose2d_fnames
from truth import check, tables

count = 0
for path, expected in tables(sys.argv[1], "single"):
    data = load_pose2d_fnames({"cam1": str(path), "cam2": str(path)})
    for points, scores in zip(data["points"], data["scores"], strict=True):
        read = {
            ("", str(name)): np.column_stack((points[:, place], scores[:, place]))
            for place, name in enumerate(data["bodyparts"])
        }
        count += check("aniposelib", path, read, expected)
print(f"aniposelib: {count} values are equal")
