"""Read OpenPose's folders with the functions that Pose2Sim's person association and triangulation read them with.

Not in `nox -s readers`, because its environment takes 900 MB: pip install --no-deps pose2sim==0.10.49, then what it imports.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from Pose2Sim.common import sort_stringlist_by_last_number
from Pose2Sim.personAssociation import persons_combinations, read_json
from Pose2Sim.triangulation import extract_files_frame_f
from truth import tables

HALF = 0.5
"""As in OpenCV, the centre of the first pixel is 0; in dlclive's tables it is 0.5."""

count = 0
for path, expected in tables(sys.argv[1], "single", "several"):
    folder = path.with_name(path.name.partition("DLC_")[0] + "_json")
    names = sort_stringlist_by_last_number([entry.name for entry in folder.iterdir()])
    animals, keypoints = (list(dict.fromkeys(key[place] for key in expected)) for place in (0, 1))
    frames = len(next(iter(expected.values())))
    if [int(re.split(r"(\d+)", name)[-2]) for name in names] != list(range(frames)):
        raise SystemExit(f"Pose2Sim finds other frames in {folder.name}: {names[:3]}")
    for number, name in enumerate(names):
        file = folder / name
        values = np.array([[expected[animal, keypoint][number] for keypoint in keypoints] for animal in animals])
        present = np.isfinite(values[..., 0]).any(axis=1)
        wanted = np.where(np.isfinite(values[..., :1]), values - (HALF, HALF, 0), 0)[present]
        read = np.array(read_json(file)).reshape(-1, len(keypoints), 3)
        if not np.allclose(read, wanted, rtol=0, atol=2e-5):  # the digits of a float32
            raise SystemExit(f"Pose2Sim reads other keypoints from {file.name}: {read.tolist()}")
        combinations = persons_combinations([file, file])
        if len(combinations) != max(1, present.sum()) ** 2:
            raise SystemExit(f"Pose2Sim finds {len(combinations)} pairs of people in {file.name}")
        x, y, likelihood = extract_files_frame_f([file], list(range(len(keypoints))))
        for person in range(int(present.sum())):
            triangulated = np.column_stack((x[person][0], y[person][0], likelihood[person][0]))
            if not np.allclose(triangulated, wanted[person], rtol=0, atol=2e-5, equal_nan=True):
                raise SystemExit(f"Pose2Sim triangulates other keypoints from {file.name}: {triangulated.tolist()}")
        count += wanted.size
print(f"pose2sim {version('pose2sim')}: {count} values are equal")
