"""A name is given to one writer, whatever happens at the same moment, and links are not followed."""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlclive_core import (
    DataError,
    FileLock,
    OutputExistsError,
    create_file,
    draft_beside,
    open_unlinked,
    take_name,
    write_whole,
)
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.files import ignores_case

PROCESSES = 8
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")


def _write(folder: str, barrier: Any, answers: Any, number: int) -> None:
    barrier.wait()
    try:
        write_whole(Path(folder) / "out.txt", f"{number}" * 10_000, overwrite=False)
    except OutputExistsError:
        answers.put((number, False))
    else:
        answers.put((number, True))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def at_once(work: Callable[..., None], folder: Path) -> list[Any]:
    """Run `work` in eight processes that start together; what each put into the queue."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=work, args=(str(folder), barrier, queue, n)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    return results


def test_of_eight_processes_one_gets_the_name(tmp_path: Path) -> None:
    results = at_once(_write, tmp_path)
    (winner,) = [number for number, is_mine in results if is_mine]
    assert (tmp_path / "out.txt").read_text() == f"{winner}" * 10_000
    assert _names(tmp_path) == ["out.txt"]


def test_a_name_that_is_taken_stays_and_the_draft_too(tmp_path: Path) -> None:
    target, draft = tmp_path / "a", tmp_path / "b"
    target.write_text("earlier")
    draft.write_text("new")
    with pytest.raises(FileExistsError):
        take_name(draft, target)
    assert (target.read_text(), draft.read_text()) == ("earlier", "new")
    with pytest.raises(FileExistsError):
        create_file(target)
    target.unlink()
    take_name(draft, target)
    assert (target.read_text(), draft.exists()) == ("new", False)


@needs_links
def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_whole(tmp_path / "a", "first", overwrite=False)
    with pytest.raises(OutputExistsError, match="already exists"):
        write_whole(tmp_path / "a", "second", overwrite=False)
    assert (tmp_path / "a").read_text() == "first"
    assert _names(tmp_path) == ["a"]


@needs_links
def test_links_are_replaced_or_refused_and_never_followed(tmp_path: Path) -> None:
    victim, nowhere, link = tmp_path / "victim", tmp_path / "nowhere", tmp_path / "link"
    victim.write_text("precious")
    for target in (victim, nowhere):
        link.symlink_to(target)
        with pytest.raises(OutputExistsError):
            write_whole(link, "mine", overwrite=False)
        with pytest.raises(FileExistsError):
            create_file(link)
        with pytest.raises(OSError, match="symbolic links"):
            open_unlinked(link, "w")
        write_whole(link, "mine")
        assert not link.is_symlink()
        link.unlink()
        link.symlink_to(target)
        lock = FileLock(link)
        assert lock.acquire()
        lock.release()
    assert victim.read_text() == "precious"
    assert not nowhere.exists()


@needs_links
def test_files_have_the_rights_that_the_user_gives_to_new_ones(tmp_path: Path) -> None:
    """Not those of temporary files, which a colleague cannot read."""
    (tmp_path / "usual").touch()
    write_whole(tmp_path / "ours", "x", overwrite=False)
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_drafts_differ(tmp_path: Path) -> None:
    drafts = {draft_beside(tmp_path / "a.csv") for _ in range(50)}
    assert len(drafts) == 50
    assert all(draft.name.startswith("a.csv.") and draft.suffix == ".part" for draft in drafts)


def test_a_second_writer_is_refused_before_it_begins(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    with only_writer(target):
        with (
            pytest.raises(OutputExistsError, match=r"another process is writing .*model\.onnx: wait"),
            only_writer(target),
        ):
            pass
        with only_writer(tmp_path / "other.onnx"):
            pass
    with only_writer(target):
        pass
    assert _names(tmp_path) == []
    with pytest.raises(DataError, match="cannot write into"), only_writer(tmp_path / "none" / "a"):
        pass


def test_whether_the_file_system_ignores_case(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert ignores_case(tmp_path) == (tmp_path / "X").exists()
    assert _names(tmp_path) == ["x"]
    assert not ignores_case(tmp_path / "none")
