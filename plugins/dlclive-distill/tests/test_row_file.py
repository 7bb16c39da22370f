"""Arrays that grow in a file, and survive a kill."""

from pathlib import Path

import numpy as np
import pytest
from dlclive_distill.footage.row_file import RowFile, read_rows

from dlclive_core import DataError

ROWS = np.arange(24, dtype=np.float32).reshape(6, 4)


def begun(path: Path, rows: int) -> None:
    file = RowFile(path, ROWS.shape, np.float32)
    file.begin(0)
    file.append(ROWS[:rows])
    file.close()


def test_a_whole_file_is_an_array(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    begun(path, 6)
    assert not path.exists()
    file = RowFile(path, ROWS.shape, np.float32)
    assert file.rows == 6
    file.begin(6)
    file.finish()
    assert np.array_equal(read_rows(path), ROWS)
    assert not read_rows(path).flags.writeable


def test_what_a_killed_process_left_is_continued_after_its_last_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    begun(path, 3)
    with (tmp_path / "rows.npy.part").open("ab") as part:
        part.write(b"half a row")
    file = RowFile(path, ROWS.shape, np.float32)
    assert file.rows == 3
    file.begin(2)
    file.append(ROWS[2:])
    file.finish()
    assert np.array_equal(read_rows(path), ROWS)


def test_rows_of_another_shape_are_not_continued(tmp_path: Path) -> None:
    begun(tmp_path / "rows.npy", 3)
    assert RowFile(tmp_path / "rows.npy", (7, 4), np.float32).rows == 0
    assert RowFile(tmp_path / "rows.npy", (6, 4), np.float16).rows == 0


def test_a_file_of_pickles_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="begin again"):
        read_rows(path)


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    path = tmp_path / "rows.npy"
    (tmp_path / "rows.npy.part").symlink_to("/dev/full")
    file = RowFile(path, (100_000, 4), np.float32)
    with pytest.raises(DataError, match=r"cannot write .*rows\.npy: "):
        file.begin(0)
        file.append(np.zeros((100_000, 4), np.float32))
    file.close()
