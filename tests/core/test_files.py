"""Files are written whole or not at all, and folders are created with their parents."""

from pathlib import Path

import pytest

from dlclive_core.errors import DataError
from dlclive_core.machine.files import make_folder, replace_whole, write_whole


def test_text_and_bytes_are_written_and_no_draft_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "µm")
    write_whole(tmp_path / "b.png", b"\x89PNG")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "µm"
    assert (tmp_path / "b.png").read_bytes() == b"\x89PNG"
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.png"}


def test_the_earlier_file_survives_a_write_that_fails(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    target.write_text("earlier")

    def half(draft: Path) -> None:
        draft.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match=r"cannot write .*run\.json: No space left on device"):
        replace_whole(target, half)
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_created_with_its_parents_unless_a_file_is_in_the_way(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot create the folder"):
        make_folder(tmp_path / "file" / "out")
    with pytest.raises(DataError, match="cannot write"):
        write_whole(tmp_path / "file" / "out.txt", "")
