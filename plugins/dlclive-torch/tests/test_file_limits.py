"""Small files that ask for much: time and memory are bounded by constants, and the refusal says why."""

from __future__ import annotations

import pickle
import resource
import struct
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from dlclive_torch.files.archives import read_pt
from dlclive_torch.files.checkpoint import read_checkpoint
from dlclive_torch.files.plain_values import TooLargeError, plain_values

from dlclive_core import ModelError

SECONDS, MEGABYTES = 30, 500  # on a machine that others use, too; without the limits it is minutes, or all memory


@contextmanager
def bounded() -> Iterator[None]:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < MEGABYTES


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled, compression)
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def get(index: int) -> bytes:
    return b"j" + struct.pack("<I", index)


def put(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def shared_lists(levels: int, width: int = 10) -> bytes:
    """Lists that each hold the one before several times; the last is the memo's entry `levels`."""
    start = b"](K\x01e" + put(0) + b"0"
    return start + b"".join(b"](" + get(level) * width + b"e" + put(level + 1) + b"0" for level in range(levels))


def shared_tuples(levels: int) -> bytes:
    """Tuples that each hold the one before twice: each level doubles the time that a hash takes."""
    start = b"N" + put(0) + b"0"
    return start + b"".join(get(level) * 2 + b"\x86" + put(level + 1) + b"0" for level in range(levels))


BOMBS: dict[str, Callable[[], bytes]] = {
    "lists that hold lists": lambda: b"\x80\x02" + shared_lists(12) + b"}(" + text("config") + get(12) + b"u.",
    "a dict that holds itself": lambda: b"\x80\x02}" + put(0) + b"(" + text("config") + get(0) + text("pose") + b"}u.",
    "a list that holds itself": lambda: b"\x80\x02}(" + text("config") + b"]" + put(0) + get(0) + b"a" + b"u.",
    "a hash without end": lambda: b"\x80\x02" + shared_tuples(60) + b"}" + get(60) + b"Ns.",
    "a hash without end in a set": lambda: b"\x80\x04" + shared_tuples(60) + b"\x8f(" + get(60) + b"\x90.",
    "a hash without end in a frozen set": lambda: b"\x80\x04" + shared_tuples(60) + b"(" + get(60) + b"\x91.",
    "a hash without end in a call": lambda: b"\x80\x02" + shared_tuples(60)
    + call("builtins", "set", b"](" + get(60) + b"e") + b".",
    "a hash without end in pairs": lambda: b"\x80\x02" + shared_tuples(60)
    + call("collections", "OrderedDict", b"](" + get(60) + b"N\x86e") + b".",
    "text without end": lambda: b"\x80\x02" + shared_lists(12) + call("torch", "device", get(12)) + b".",
    "an enumeration without end": lambda: b"\x80\x02" + shared_lists(12) + call("deeplabcut.core", "Kind", get(12)) + b".",
    "a path without end": lambda: b"\x80\x02" + text("x" * (1 << 20)) + put(0) + b"0"
    + call("pathlib", "PosixPath", get(0) * 4000) + b".",
    "copies": lambda: b"\x80\x02" + text("x" * (1 << 20)) + put(0) + b"0" + text("latin1") + put(1) + b"0"
    + (call("_codecs", "encode", get(0), get(1)) * 5000) + b".",
    "the memo's last entry": lambda: b"\x80\x02]r\xff\xff\xff\x7f.",
    "nested lists": lambda: b"\x80\x02" + b"](" * 200_000 + b"e" * 199_999 + b"e.",
    "many sets": lambda: b"\x80\x04" + b"\x8f" * (7 << 20) + b".",
    "many lists": lambda: b"\x80\x04" + b"]" * (7 << 20) + b".",
    "text longer than the file": lambda: b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40),
    "a pickle larger than any": lambda: b"\x80\x04" + text("x" * (9 << 20)) + b".",
    "a copied stack": lambda: b"\x80\x02N" + b"2\x86" * 60 + b".",
    "a number type without end": lambda: b"\x80\x02" + call("numpy", "dtype", text("f8," * 100_000)) + b".",
    "a state for a list": lambda: b"\x80\x02]}b.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_pickle_that_explodes_is_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "model.pt", BOMBS[name]())
    with bounded(), pytest.raises(ModelError, match=r"model\.pt") as refused:
        read_checkpoint(path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("record", ["data.pkl", "byteorder"])
def test_a_compressed_record_is_refused_before_it_is_unpacked(tmp_path: Path, record: str) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if record != "data.pkl":
            file.writestr("archive/data.pkl", b"\x80\x02}.", zipfile.ZIP_STORED)
        with file.open(f"archive/{record}", "w", force_zip64=True) as stream:
            for _ in range(64):
                stream.write(bytes(1 << 24))
    assert path.stat().st_size < 2 << 20
    with bounded(), pytest.raises(ModelError, match=rf"archive/{record} is compressed"):
        read_pt(path)


def test_storages_that_overlap_are_refused(tmp_path: Path) -> None:
    """A thousand records of the directory that lead to the same bytes."""
    path = tmp_path / "model.pt"
    torch.save({str(index): torch.zeros(1 << 20) for index in range(3)}, path)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        offsets = [file.getinfo(f"model/data/{index}").header_offset for index in range(3)]
    for offset in offsets[1:]:  # in the directory, which is at the end
        position = data.rindex(struct.pack("<I", offset))
        data = data[:position] + struct.pack("<I", offsets[0]) + data[position + 4 :]
    start = offsets[1]
    path.write_bytes(data[:start] + data[offsets[2] :])  # without the bytes of the second
    with bounded(), pytest.raises(ModelError, match=r"model\.pt is truncated or damaged"):
        read_pt(path)


def test_a_directory_with_more_records_than_any_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as file:
        for index in range(40_000):
            file.writestr(f"archive/{'data' * 20}/{index}", b"")
    with bounded(), pytest.raises(ModelError, match="its directory is larger than 4 MiB"):
        read_pt(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_tensor_that_repeats_its_numbers_is_refused(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "model.pt"
    torch.save({"a": torch.ones(1).expand(100_000, 100_000)}, path, _use_new_zipfile_serialization=zipped)
    with bounded(), pytest.raises(ModelError, match="a tensor of 10000000000 numbers in a storage of 1"):
        read_pt(path)


def test_weights_that_are_the_same_numbers_under_many_names_are_refused(tmp_path: Path) -> None:
    path, zeros = tmp_path / "model.pt", torch.zeros(1 << 16)
    torch.save({"config": {"net_type": "n"}, "pose": {str(index): zeros for index in range(100)}}, path)
    with pytest.raises(ModelError, match=r"has \d+ bytes, and its weights would have 26214400"):
        read_checkpoint(path)


def test_what_is_shared_is_made_once_and_counted_each_time() -> None:
    shared = {"a": [1, (2, 3)]}
    value = OrderedDict(x=shared, y=[shared, shared])
    made = plain_values(value)
    assert made == {"x": {"a": [1, (2, 3)]}, "y": [{"a": [1, (2, 3)]}] * 2}
    assert type(made) is dict
    assert made["x"] is made["y"][0]
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(TooLargeError, match="more than 64 levels deep"):
        plain_values(deep)
    with pytest.raises(TooLargeError, match="more than 500000 values"):
        plain_values([[0] * 1000] * 1000)


def test_a_snapshot_with_its_optimiser_is_within_the_limits(tmp_path: Path) -> None:
    """As DeepLabCut writes it for a network of a thousand weights: three tensors and more for each of them."""
    path = tmp_path / "snapshot-200.pt"
    weights = OrderedDict((f"backbone.stage{n}.layers.{n}.weight", torch.zeros(2)) for n in range(2000))
    state = {
        n: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)} for n in range(2000)
    }
    torch.save(
        {"model": weights, "metadata": {}, "optimizer": {"state": state, "param_groups": [{"params": list(state)}]}},
        path,
    )
    content = read_pt(path)
    assert len(plain_values(content)["optimizer"]["state"]) == 2000


def test_instructions_that_no_writer_uses_are_refused(tmp_path: Path) -> None:
    for pickled in (
        b"Pid\n.",
        b"\x80\x02\x82\x01.",
        b"(idict\nx\n.",
        b"\x80\x05\x97.",
        pickle.dumps(bytearray(b"x"), 5),
    ):
        with pytest.raises(ModelError, match="the instruction"):
            read_pt(archive(tmp_path / "model.pt", pickled))
