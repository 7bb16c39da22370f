"""A table of which each row is named by an image: what a person or a network has labelled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Label = tuple[str, ...]


class LabelledTable(NamedTuple):
    """A table with labels.

    Attributes:
        names: of the levels of the columns' labels, such as scorer, bodyparts, coords; "" for one without a name.
        columns: the label of each column.
        rows: the label of each row, for example ("labeled-data", "mouse", "img0012.png").
        values: (rows, columns) float64.
    """

    names: Label
    columns: list[Label]
    rows: list[Label]
    values: NDArray[np.float64]
