"""Read pose tables as other programs do, and print the contents as JSON. Does not import dlclive.

    python read_tables.py poses.h5 poses.csv ...

For each file it prints the table as pandas reads it with DeepLabCut's arguments (no key for HDF5, header rows for CSV) and, if
movement is installed, the dataset as movement's DeepLabCut loader reads it. NaN is written as null. Run it in an environment
with the version of pandas or movement to be tested.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def plain(values: np.ndarray) -> Any:
    """Nested lists of numbers, None for NaN."""
    if values.ndim > 1:
        return [plain(part) for part in values]
    return [None if math.isnan(value) else value for value in values.astype(float).tolist()]


def levels_of(path: Path) -> int:
    """The number of header rows of a CSV, up to and including the row of the coordinates."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("coords,"):
                return number
    raise ValueError(f"{path} has no header row 'coords'")


def with_pandas(path: Path) -> dict[str, Any]:
    """The table as pandas reads it."""
    is_hdf5 = path.suffix == ".h5"
    table = pd.read_hdf(path) if is_hdf5 else pd.read_csv(path, header=list(range(levels_of(path))), index_col=0)
    return {
        "levels": list(table.columns.names),
        "columns": [list(column) for column in table.columns],
        "index": [int(number) for number in table.index],
        "values": plain(table.to_numpy()),
    }


def with_movement(path: Path) -> dict[str, Any]:
    """The dataset as movement reads it: positions (frame, space, keypoint, individual)."""
    data = importlib.import_module("movement.io.load_poses").from_dlc_file(path, fps=30)
    return {
        "individuals": [
            str(name) for name in data.coords["individual" if "individual" in data.coords else "individuals"].values
        ],
        "keypoints": [
            str(name) for name in data.coords["keypoint" if "keypoint" in data.coords else "keypoints"].values
        ],
        "position": plain(data["position"].values),
        "confidence": plain(data["confidence"].values),
    }


def main(paths: list[str]) -> None:
    """Print one JSON object: the versions, and for each file and reader the contents or the error."""
    warnings.simplefilter("ignore")
    readers = {"pandas": with_pandas}
    if importlib.util.find_spec("movement") is not None:
        readers["movement"] = with_movement
    report: dict[str, Any] = {"python": platform.python_version(), "pandas": pd.__version__, "files": {}}
    for name in paths:
        contents: dict[str, Any] = {}
        for reader, read in readers.items():
            try:
                contents[reader] = read(Path(name))
            except Exception as error:  # another program's reader may raise anything, which is the result
                contents[reader] = {"error": f"{type(error).__name__}: {error}"}
        report["files"][Path(name).name] = contents
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
