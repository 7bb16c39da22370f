"""What dlclive's tables hold, by their CSV, for comparison with what another program reads. Does not import dlclive."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

Points = Mapping[tuple[str, str], np.ndarray]
"""By (individual, keypoint); the individual is "" in a single-animal table: (frames, 3) x, y, likelihood."""

PRECISION = 1e-6
"""Pixels; or half the last bit of a float32, to which a CSV has the digits."""


def tables(folder: str, *names: str) -> Iterator[tuple[Path, Points]]:
    """The HDF5 tables of a folder, with their contents; `names` select some by the beginning of their names."""
    found = [path for path in sorted(Path(folder).glob("*DLC_*.h5")) if path.name.startswith(names or "")]
    if not found:
        raise SystemExit(f"no tables in {folder}: run python -m nox -s reader_files")
    for path in found:
        yield path, read_csv(path.with_suffix(".csv"))


def read_csv(path: Path) -> Points:
    """The contents of a CSV table."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    header = {row[0]: row[1:] for row in rows if row[0] in ("scorer", "individuals", "bodyparts", "coords")}
    values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows[len(header) :]], np.float32)
    individuals = header.get("individuals", [""] * values.shape[1])
    parts = list(zip(individuals, header["bodyparts"], header["coords"], strict=True))
    return {
        (individual, keypoint): values[:, column : column + 3]
        for column, (individual, keypoint, coord) in enumerate(parts)
        if coord == "x"
    }


def check(reader: str, path: Path, read: Points, expected: Points) -> int:
    """Compare, and return the number of equal values. Ends the program with a line that says what differs."""
    if read.keys() != expected.keys():
        different = sorted(set(read) ^ set(expected))
        raise SystemExit(f"{reader} reads other keypoints from {path.name}: {different[:5]}")
    for key, values in expected.items():
        if read[key].shape != values.shape:
            raise SystemExit(f"{reader} reads {read[key].shape} values of {key} from {path.name}, not {values.shape}")
        allowed = np.maximum(PRECISION, np.spacing(np.abs(values)) / 2)
        equal = (np.abs(read[key] - values) <= allowed) | (np.isnan(read[key]) & np.isnan(values))
        if not equal.all():
            frame = int(np.flatnonzero(~equal.all(axis=1))[0])
            raise SystemExit(
                f"{reader} reads {read[key][frame].tolist()} for {key} in frame {frame} of {path.name}, not "
                f"{values[frame].tolist()}"
            )
    return sum(values.size for values in expected.values())
