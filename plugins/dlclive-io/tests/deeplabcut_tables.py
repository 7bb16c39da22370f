"""Tables of every kind of project, and what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from dlclive_io.deeplabcut.deeplabcut_format import DeepLabCutFormat

from dlclive_core import (
    DataError,
    PoseRecording,
)

XYP = ("x", "y", "likelihood")


def header(kind: str, coords: Sequence[str] = XYP) -> pd.MultiIndex:
    """The columns of a kind of table."""
    if kind == "live":
        return pd.MultiIndex.from_product([["nose", "tail"], coords], names=["bodyparts", "coords"])
    if kind == "live animals":
        levels = [["individual_0", "individual_1"], ["nose", "tail"], coords]
        return pd.MultiIndex.from_product(levels, names=["individuals", "bodyparts", "coords"])
    if kind == "single":
        levels = [["DLC_x"], ["nose", "tail"], coords]
        return pd.MultiIndex.from_product(levels, names=["scorer", "bodyparts", "coords"])
    animals = [("DLC_x", animal, point) for animal in ("m1", "m2") for point in ("nose", "tail")]
    animals += [("DLC_x", "single", "lever")] if kind == "unique" else []
    columns = [(*animal, coord) for animal in animals for coord in coords]
    return pd.MultiIndex.from_tuples(columns, names=["scorer", "individuals", "bodyparts", "coords"])


KINDS = ["live", "live animals", "single", "animals", "unique"]


def frame_of(kind: str, rows: int = 20) -> pd.DataFrame:
    columns = header(kind)
    values = np.random.default_rng(0).uniform(0, 600, (rows, len(columns)))
    values[3] = np.nan
    values[rows - 1, :3] = np.nan
    return pd.DataFrame(values, columns=columns)


def flat(recording: PoseRecording) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all frames, and their values in the order of the columns."""
    blocks = list(recording.blocks())
    assert all(len(block) for block in blocks)
    if not blocks:
        return np.empty(0, np.int64), np.empty((0, 0))
    return np.concatenate([block.numbers for block in blocks]), np.concatenate([block.flat() for block in blocks])


def attempt(path: Path) -> tuple[int, str | None]:
    """The number of rows that are read, and the message of the error that ends it."""
    rows = 0
    try:
        for block in DeepLabCutFormat().read(path).blocks():
            rows += len(block)
    except DataError as error:
        return rows, str(error)
    return rows, None
