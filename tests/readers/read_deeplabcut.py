"""Read the tables in a folder with DeepLabCut itself, and filter them.

Both functions find a table by the names of a video and of the model's scorer. The project's models, from which DeepLabCut
learns the scorer's name, do not exist here; the name is that of the tables.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from unittest import mock

os.environ["DLClight"] = "True"  # noqa: SIM112 - no window

import deeplabcut
import yaml
from deeplabcut.post_processing.filtering import filterpredictions
from deeplabcut.utils import auxiliaryfunctions
from read_pandas import points_of
from truth import Points, check, tables

FOUND = "deeplabcut.utils.auxiliaryfunctions.get_scorer_name"


def project(folder: Path, expected: Points) -> Path:
    """A project's configuration."""
    animals = [name for name in dict.fromkeys(key[0] for key in expected) if name not in ("", "single")]
    content = {
        "Task": "test",
        "date": "Nov29",
        "project_path": str(folder),
        "multianimalproject": bool(animals),
        "individuals": animals,
        "TrainingFraction": [0.95],
        "default_track_method": "ellipse",
        "engine": "pytorch",
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


count = 0
for path, expected in tables(sys.argv[1]):
    video, _, rest = path.stem.partition("DLC_")
    scorer = f"DLC_{rest}"
    with tempfile.TemporaryDirectory() as temporary, mock.patch(FOUND, return_value=(scorer, scorer)):
        folder = Path(temporary)
        tracked = any(key[0] for key in expected)
        # DeepLabCut tracks animals after the analysis, and looks for the name of the result.
        shutil.copy(path, folder / f"{path.stem}{'_el' if tracked else ''}.h5")
        file = folder / f"{video}.mp4"
        file.write_bytes(b"")
        config = project(folder, expected)
        loaded, *_ = auxiliaryfunctions.load_analyzed_data(
            folder, video, scorer, track_method="ellipse" if tracked else ""
        )
        count += check("deeplabcut", path, points_of(loaded), expected)
        if video == "wide":  # DeepLabCut cannot write so many columns, neither filtered nor at all
            continue
        (filtered,) = filterpredictions(config, [file], windowlength=1, return_data=True).values()
        count += check("deeplabcut.filterpredictions", path, points_of(filtered), expected)
print(f"deeplabcut {deeplabcut.__version__}: {count} values are equal")
