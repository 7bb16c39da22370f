"""Read the tables in a folder with pandas, as DeepLabCut's users do: HDF5 without a key, CSV with its header rows."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from truth import Points, check, tables


def points_of(table: pd.DataFrame) -> Points:
    """By individual and keypoint. Raises if the header is not DeepLabCut's."""
    assert table.index.tolist() == list(range(len(table))), "the index is not the number of the frame"
    levels = list(table.columns.names)
    multi = levels == ["scorer", "individuals", "bodyparts", "coords"]
    assert multi or levels == ["scorer", "bodyparts", "coords"], levels
    (scorer,) = set(table.columns.get_level_values("scorer"))
    table = table[scorer]
    keys = dict.fromkeys(column[:-1] for column in table.columns)
    return {
        (key if multi else ("", key[0])): table[[(*key, coord) for coord in ("x", "y", "likelihood")]].to_numpy()
        for key in keys
    }


def read_csv(path: Path, levels: int) -> pd.DataFrame:
    return pd.read_csv(path, header=list(range(levels)), index_col=0)


count = 0
for path, expected in tables(sys.argv[1]):
    table = pd.read_hdf(path)
    for read in (table, read_csv(path.with_suffix(".csv"), table.columns.nlevels)):
        count += check("pandas", path, points_of(read), expected)
print(f"pandas {pd.__version__}: {count} values are equal")
