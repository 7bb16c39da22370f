"""Which plans are trusted, and where that is recorded."""

import sys
from pathlib import Path

import pytest
from dlclive_tensorrt.__main__ import main
from dlclive_tensorrt.cache_folder import cache_folder, replace_file
from dlclive_tensorrt.engine_file import plan_facts
from dlclive_tensorrt.trusted_plans import are_trusted, refuse_untrusted, trust_plans

from dlclive_core import UnsafeFileError

OURS, THEIRS = plan_facts(1, b"ours"), plan_facts(1, b"theirs")


def test_only_recorded_plans_are_trusted(tmp_path: Path) -> None:
    assert not are_trusted([OURS])
    trust_plans([OURS])
    assert are_trusted([OURS])
    assert not are_trusted([OURS, THEIRS])
    refuse_untrusted([OURS], tmp_path / "m.engine")
    with pytest.raises(UnsafeFileError, match=r"m\.engine was not built by you on this computer") as caught:
        refuse_untrusted([OURS, THEIRS], tmp_path / "m.engine")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_registry_that_others_can_write_to_is_not_trusted() -> None:
    trust_plans([OURS])
    folder = cache_folder() / "built"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert not are_trusted([OURS])
    folder.chmod(0o700)
    assert are_trusted([OURS])


def test_the_cache_folder_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine" / "dlclive" / "tensorrt"
    if sys.platform != "win32":
        monkeypatch.setenv("HOME", str(tmp_path))
        for ignored in ("", "relative/path"):
            monkeypatch.setenv("XDG_CACHE_HOME", ignored)
            assert cache_folder() == tmp_path / ".cache" / "dlclive" / "tensorrt"


def test_a_file_is_replaced_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "timing"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        replace_file(path, b"newer")
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["timing"]


def test_the_trust_command(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dlclive_tensorrt.engine_file import read_card

    for item in (cache_folder() / "built").iterdir():
        item.unlink()
    assert not are_trusted(read_card(engine).plans)
    assert main(["trust", str(engine)]) == 0
    assert "built on NVIDIA GeForce RTX 4090 with TensorRT 11.4.0.106" in capsys.readouterr().out
    assert are_trusted(read_card(engine).plans)
    assert main(["trust", str(engine.with_suffix(".onnx"))]) == 3
    assert "no dlclive card" in capsys.readouterr().err
