"""A CSV header holds names unchanged, whatever they contain, and a killed run's table is still recovered."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.table_layout import TableLayout

from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
from dlclive_core.testing import run_info

NAMES = ["tail, base", 'the "nose"', "naïve 鼠", "=1+1", " spaces ", "a;b|c"]


def _write(path: Path, card: ModelCard, *, finish: bool) -> None:
    with PoseTable(path) as sink:
        sink.open(run_info(card))
        for number in range(3):
            pose = Pose(np.full((1, 2, 3), number, np.float32), card.skeleton)
            sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), number, 0.0), pose, 0.0, 0.0, 0.0))
        if finish:
            sink.finish()


@pytest.mark.parametrize("finish", [True, False], ids=["finished", "recovered"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_back(tmp_path: Path, name: str, finish: bool) -> None:
    card = ModelCard(net_type="test", skeleton=Skeleton(("nose", name)), scorer=name)
    path = tmp_path / "poses.csv"
    _write(path, card, finish=finish)
    if not finish:
        (recovered,) = recover(tmp_path).files
        assert (recovered.error, recovered.rows) == ("", 3)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert list(zip(*[row[1:] for row in rows[:3]], strict=True)) == TableLayout(card).columns
    assert [row[0] for row in rows[3:]] == ["0", "1", "2"]
    table = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    assert list(table.columns) == TableLayout(card).columns
    np.testing.assert_array_equal(table.to_numpy(), np.repeat([[0.0], [1.0], [2.0]], 6, axis=1))
