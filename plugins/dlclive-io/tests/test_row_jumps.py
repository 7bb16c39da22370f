"""When a source's frame numbers jump, empty rows do not fill the disk, and recorded rows keep their numbers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.tables import row_blocks
from dlclive_io.tables.pose_table import PoseTable
from dlclive_io.tables.row_blocks import RowBlocks

from dlclive_core import DataError, Estimate, Frame, ModelCard, Pose, Skeleton
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose", "tail"))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
IMAGE = np.zeros((8, 8, 3), np.uint8)
FAR = 2**40


@pytest.fixture(params=[".h5", ".csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"poses{request.param}"


def _write(path: Path, numbers: Sequence[int], *, finish: bool = True) -> PoseTable:
    """Each row holds its place in `numbers`."""
    with PoseTable(path) as sink:
        sink.open(run_info(CARD, is_live=True))
        for row, number in enumerate(numbers):
            pose = Pose(np.full((1, 2, 3), row, np.float32), SKELETON)
            sink.write(Estimate(Frame(IMAGE, number, 0.0), pose, 0.0, 0.0, 0.0))
        if finish:
            sink.finish()
    return sink


def _rows(path: Path) -> dict[int, float]:
    table = pd.read_hdf(path) if ".h5" in path.suffixes else pd.read_csv(path, header=[0, 1, 2], index_col=0)
    return dict(zip(table.index.tolist(), table.to_numpy()[:, 0].tolist(), strict=True))


@pytest.mark.parametrize("far", [2**32, FAR, 2**60])
def test_rows_after_a_jump_keep_their_numbers(path: Path, far: int, caplog: pytest.LogCaptureFixture) -> None:
    numbers = [*range(10), *range(far, far + 100), 2 * far, 2 * far + 1]
    with caplog.at_level(logging.WARNING):
        sink = _write(path, numbers)
    assert _rows(path) == {number: float(row) for row, number in enumerate(numbers)}
    assert path.stat().st_size < 300_000
    assert sink.rows_left_out == far - 10 + 2 * far - (far + 100)
    assert sink.frames_left_out == 0
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == (
        f"{path.name}: frame {far} follows frame 9: the rows in between are left out; check the source's counter"
    )


def test_one_wrong_number_costs_only_its_frame(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sink = _write(path, [0, 1, FAR, 2, 3, FAR + 7, 4, 6])
    assert [number for number, value in _rows(path).items() if value == value] == [0, 1, 2, 3, 4, 6]
    assert (sink.frames_left_out, sink.rows_left_out) == (2, 0)
    assert sink.statistics == {"frames_left_out": 2}
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"{path.name}: frame {FAR} after frame 1 has a wrong number and no row")


@pytest.mark.parametrize("number", [2**62, 2**64, 10**30])
def test_a_number_too_large_for_a_table(path: Path, number: int) -> None:
    sink = _write(path, [0, 1, number, 2])
    assert list(_rows(path)) == [0, 1, 2]
    assert sink.frames_left_out == 1


@pytest.mark.parametrize("finish", [True, False])
def test_the_frame_after_a_jump_is_recorded_even_if_it_is_the_last(path: Path, finish: bool) -> None:
    sink = _write(path, [0, FAR], finish=finish)
    (output,) = sink.outputs
    assert _rows(output) == {0: 0.0, FAR: 1.0}


def test_numbers_must_still_increase(path: Path) -> None:
    with pytest.raises(DataError, match="frame 1 comes after frame 2"):
        _write(path, [0, 1, 2, 1])


def test_the_total_of_empty_rows_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small jumps fill a disk as well as one large jump."""
    monkeypatch.setattr(row_blocks, "MOST_EMPTY_ROWS", 100)
    written: list[int] = []
    blocks = RowBlocks(1, lambda first, rows: written.extend(range(first, first + len(rows))), 8)
    for number in range(0, 2000, 11):
        blocks.add(number, np.zeros(1, np.float32))
    blocks.flush()
    assert written[:110] == list(range(110))
    assert written[110:] == list(range(110, 2000, 11))
    assert blocks.left_out == 10 * len(range(121, 2000, 11))


def test_wide_tables_have_fewer_empty_rows() -> None:
    narrow, wide = (RowBlocks(columns, lambda *_: None, 4) for columns in (6, 3000))
    assert narrow.can_fill(1_000_000)
    assert not narrow.can_fill(1_000_001)
    assert not wide.can_fill(100_000)
    assert wide.can_fill(10_000)
