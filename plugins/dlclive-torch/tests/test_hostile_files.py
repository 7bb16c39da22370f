"""Files that would run code, and damaged files: reading them may only raise our errors."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.files.archives import read_pt
from dlclive_torch.files.stand_ins import STAND_INS, StorageType

from dlclive_core import DLCLiveError, ModelError, UnsafeFileError


class Calls:
    """Pickles as a function call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


def archive(path: Path, pickled: bytes, **records: bytes) -> Path:
    """Write a zip archive with a pickle, as torch.save does."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/version", "3\n")
        for name, data in records.items():
            file.writestr(f"archive/data/{name}", data)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda canary: Calls(os.system, f"touch {canary}"), f"{os.system.__module__}.system"),
        (lambda canary: Calls(eval, f"open({str(canary)!r}, 'w')"), "__builtin__.eval"),
        (lambda canary: Calls(exec, f"open({str(canary)!r}, 'w')"), "__builtin__.exec"),
        (lambda canary: Calls(open, str(canary), "w"), "io.open"),
        (lambda canary: Calls(getattr, {}, "get"), "__builtin__.getattr"),
        (lambda canary: Calls(subprocess.check_call, ["touch", str(canary)]), "check_call"),
        (lambda canary: Calls(torch.save, {}, str(canary)), "torch.serialization.save"),
        (lambda canary: Calls(torch.load, str(canary)), "torch.serialization.load"),
        (lambda canary: Calls(torch.hub.load, "a/b", "c"), "torch.hub.load"),
        (lambda canary: Calls(np.save, str(canary), [1]), "numpy.save"),
        (lambda canary: Calls(np.zeros(3).__reduce__()[0], np.ndarray, (0,), b"b"), "multiarray._reconstruct"),
        (lambda canary: Calls(Path.touch, canary), "__builtin__.getattr"),
        (lambda canary: Calls, "Calls"),
    ],
    ids="system eval exec open getattr subprocess save load hub numpy.save reconstruct touch class".split(),
)
def test_a_file_that_calls_a_function_is_rejected_and_nothing_runs(
    tmp_path: Path, make: Callable[[Path], object], name: str, zipped: bool
) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.pt"
    torch.save(
        {"config": {"net_type": make(canary)}, "pose": {"a": torch.ones(2)}},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(UnsafeFileError, match=r"nothing was run") as error_info:
        read_pt(path)
    assert name in str(error_info.value)
    assert str(path) in str(error_info.value)
    assert "\n" not in str(error_info.value)
    assert not canary.exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_plain_pickle_is_rejected_and_nothing_runs(tmp_path: Path, protocol: int) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Calls(os.system, f"touch {canary}"), protocol))
    with pytest.raises(UnsafeFileError, match="system"):
        read_pt(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pathlib", "os.system"),
        ("torch", "serialization.load"),
        ("collections", "OrderedDict.fromkeys"),
        ("numpy", "dtype.__reduce__"),
        ("torch", "ops"),
        ("deeplabcut_evil", "run"),
        ("torch\nhere", "is a\nline"),
    ],
)
def test_dotted_and_similar_names_are_rejected(tmp_path: Path, module: str, name: str) -> None:
    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    pickled = b"\x80\x04" + text(module) + text(name) + b"\x93."
    with pytest.raises(UnsafeFileError) as error_info:
        read_pt(archive(tmp_path / "model.pt", pickled))
    assert "\n" not in str(error_info.value)


@pytest.mark.parametrize("name", ["torch FloatStorage", "torch Size", "collections Counter", "pathlib PosixPath"])
@pytest.mark.parametrize("state", [{"dtype": "int8"}, (None, {"dtype": "int8"}), [1]], ids=["dict", "slots", "list"])
def test_a_file_cannot_modify_stand_ins(tmp_path: Path, name: str, state: object) -> None:
    module, _, attribute = name.partition(" ")
    pickled = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + pickle.dumps(state, 2)[2:-1] + b"b."
    with pytest.raises(ModelError, match="modify a stand-in"):
        read_pt(archive(tmp_path / "model.pt", pickled))
    float_storage = STAND_INS["torch", "FloatStorage"]
    assert isinstance(float_storage, StorageType)
    assert float_storage.dtype == torch.float32


def test_a_tensor_cannot_exceed_its_storage(tmp_path: Path) -> None:
    class Reaches:
        def __reduce__(self) -> Any:
            storage = torch.ones(4).untyped_storage()
            return torch._utils._rebuild_tensor_v2, (
                torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True),
                2,
                (1000,),
                (1,),
                False,
                {},
            )

    torch.save({"pose": Reaches()}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="damaged"):
        read_pt(tmp_path / "model.pt")


def test_compressed_storages_and_torchscript_are_rejected(tmp_path: Path) -> None:
    original, bomb = tmp_path / "original.pt", tmp_path / "bomb.pt"
    torch.save({"pose": {"a": torch.zeros(100_000)}}, original)
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(ModelError, match="compressed"):
        read_pt(bomb)
    script = archive(tmp_path / "script.pt", pickle.dumps({}))
    with zipfile.ZipFile(script, "a") as file:
        file.writestr("archive/constants.pkl", pickle.dumps(()))
    with pytest.raises(ModelError, match="TorchScript"):
        read_pt(script)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_truncated_and_damaged_files_raise_only_our_errors(
    tmp_path: Path, config: dict[str, Any], zipped: bool
) -> None:
    buffer = io.BytesIO()
    content = {"config": config, "pose": {"a": torch.arange(300.0), "b": torch.ones(3, dtype=torch.bool)}}
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    content, path = buffer.getvalue(), tmp_path / "model.pt"
    for end in [0, 1, 3, 4, 5, *range(10, len(content) - 1, len(content) // 40), len(content) - 1]:
        path.write_bytes(content[:end])
        with pytest.raises(ModelError) as cut:
            read_pt(path)
        assert str(path) in str(cut.value)
        assert "\n" not in str(cut.value)
    rng = np.random.default_rng(0)
    rejected = 0
    for position in rng.integers(0, len(content), 300):
        damaged = bytearray(content)
        damaged[position] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            read_pt(path)
        except DLCLiveError:  # anything else fails the test
            rejected += 1
    assert rejected > 30


@pytest.mark.parametrize("text", [b"", b"bodyparts: [snout]\n", b"PK\x03\x04 not really a zip", b"\x89PNG\r\n\x1a\n"])
def test_files_of_other_formats_are_model_errors(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(text)
    with pytest.raises(ModelError, match=r"model\.pt"):
        read_pt(path)


def test_a_folder_or_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.pt"):
        with pytest.raises(ModelError, match="cannot read"):
            read_pt(path)


def test_torch_load_is_never_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torch.load was called")

    torch.save({"a": torch.ones(2)}, tmp_path / "model.pt")
    monkeypatch.setattr(torch, "load", refuse)
    torch.testing.assert_close(read_pt(tmp_path / "model.pt")["a"], torch.ones(2))
