"""The file that a processor in a user's file writes at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dlclive_processors import ProcessorFromFile

from dlclive_core import (
    DataError,
    OutputExistsError,
    RunInfo,
    UsageError,
)

Write = Callable[..., Path]


def saving(write: Write, body: str, signature: str = "self, file=''") -> str:
    return str(
        write(
            f"""
            import numpy as np

            class Mine:
                path = None

                def process(self, pose, **kwargs):
                    return pose

                def set_save_path(self, path):
                    self.path = path

                def save({signature}):
                    {body}
            """
        )
    )


def run_and_close(file: str, make_run: Callable[..., RunInfo], **options: object) -> ProcessorFromFile:
    processor = ProcessorFromFile(file, **options)
    processor.open(make_run())
    processor.close()
    return processor


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ("open(file, 'w').close()", ""),
        ("open(file, 'w').close(); return True", ""),
        ("open(file, 'w').close(); return 0", "Mine.save('{out}') returned 0, though it wrote out.npy"),
        ("open(file, 'w').close(); return np.bool_(False)", "Mine.save('{out}') returned "),
        ("np.savez(file + '.npy', a=1); return True", "Mine.save wrote out.npy.npy.npz, not out.npy"),
        ("return None", "Mine.save wrote no file {out}"),
    ],
)
def test_what_save_did_is_found_out(
    write: Write,
    make_run: Callable[..., RunInfo],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    body: str,
    warning: str,
) -> None:
    out = tmp_path / "out.npy"
    processor = run_and_close(saving(write, body), make_run, save=out)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == bool(warning)
    assert all(warning.replace("{out}", str(out)) in message for message in messages)
    assert processor.statistics == {"files_saved": 0 if body == "return None" else 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 0", "returned 0, and wrote no file"),
        ("return False", "returned False, and wrote no file"),
        ("return -1", "returned -1, and wrote no file"),
        ("raise OSError(28, 'disk full')", "raised OSError: [Errno 28] disk full"),
        ("raise SystemExit", "raised SystemExit"),
    ],
)
def test_data_that_was_not_saved_is_an_error(
    write: Write, make_run: Callable[..., RunInfo], tmp_path: Path, body: str, message: str
) -> None:
    out = tmp_path / "out.npy"
    with pytest.raises(DataError) as raised:
        run_and_close(saving(write, body), make_run, save=out)
    assert str(raised.value) == f"Mine.save({str(out)!r}) {message}"


def test_a_save_without_a_name_gets_it_through_set_save_path(
    write: Write, make_run: Callable[..., RunInfo], tmp_path: Path
) -> None:
    run_and_close(saving(write, "open(self.path, 'w').close()", "self"), make_run, save=tmp_path / "out")
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Mine has no method save(file): leave out the option save"),
        ("def save(self): return 1", "Mine.save takes no file name: leave out the option save"),
    ],
)
def test_a_class_that_cannot_save_is_refused_before_the_run(
    write: Write, make_run: Callable[..., RunInfo], tmp_path: Path, text: str, message: str
) -> None:
    file = write(f"class Mine:\n    def process(self, pose, **kwargs): return pose\n    {text}\n")
    with pytest.raises(UsageError) as raised:
        run_and_close(str(file), make_run, save=tmp_path / "out")
    assert str(raised.value) == message


@pytest.mark.parametrize("taken", ["out.npy", "out.npy.npz"])
def test_a_file_that_exists_is_refused_before_the_run(
    write: Write, make_run: Callable[..., RunInfo], tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).write_text("mine")
    file, out = saving(write, "open(file, 'w').close()"), tmp_path / "out.npy"
    with pytest.raises(OutputExistsError, match=f"{taken} already exists"):
        run_and_close(file, make_run, save=out)
    run_and_close(file, make_run, save=out, overwrite=True)
    assert out.read_text() == ""
    with pytest.raises(DataError, match="there is no folder"):
        run_and_close(file, make_run, save=tmp_path / "none" / "out")


def test_stop_and_save_are_both_called_if_one_raises(
    write: Write, make_run: Callable[..., RunInfo], tmp_path: Path
) -> None:
    file = write(
        """
        class Mine:
            def process(self, pose, **kwargs):
                return pose

            def stop(self):
                raise RuntimeError("stuck")

            def save(self, file):
                open(file, "w").close()
        """
    )
    with pytest.raises(RuntimeError, match="stuck"):
        run_and_close(str(file), make_run, save=tmp_path / "out")
    assert (tmp_path / "out").exists()
