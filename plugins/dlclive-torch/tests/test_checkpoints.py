"""Files of all DeepLabCut versions are read; errors say what is missing."""

from __future__ import annotations

import enum
import hashlib
import pathlib
import sys
import types
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from dlclive_torch.files.archives import read_pt
from dlclive_torch.files.checkpoint import read_checkpoint

from dlclive_core import ModelError, UnsafeFileError


@pytest.fixture
def deeplabcut_enum(monkeypatch: pytest.MonkeyPatch) -> type[enum.Enum]:
    """An enumeration like deeplabcut's NetType, in a module of that name; the tests remove the module before reading."""
    name = "deeplabcut.pose_estimation_pytorch.config.nets"
    module = types.ModuleType(name)
    kind = enum.Enum("NetType", {"RESNET_50": "resnet_50"}, module=name, type=str)
    module.NetType = kind  # type: ignore[attr-defined]
    for loaded, what in (("deeplabcut", types.ModuleType("deeplabcut")), (name, module)):
        monkeypatch.setitem(sys.modules, loaded, what)
    return kind


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_tensors_are_read_unchanged(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(24.0).view(4, 6)
    saved = {
        "float": base,
        "view": base[1:3, ::2],
        "transposed": base.T,
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "double": base.double(),
        "long": torch.tensor(7),
        "bool": torch.tensor([True, False, True]),
        "byte": torch.tensor([1, 255], dtype=torch.uint8),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(base),
    }
    torch.save(saved, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    read = read_pt(tmp_path / "a.pt")
    assert list(read) == list(saved)
    for name, value in saved.items():
        assert read[name].dtype == value.dtype
        torch.testing.assert_close(read[name], value.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_enumerations_and_paths_become_text(
    tmp_path: Path,
    config: dict[str, Any],
    deeplabcut_enum: type[enum.Enum],
    monkeypatch: pytest.MonkeyPatch,
    zipped: bool,
) -> None:
    """deeplabcut 3.0.1 writes them; torch.load(weights_only=True) rejects them."""
    config["net_type"] = deeplabcut_enum("resnet_50")
    config["metadata"]["project_path"] = pathlib.PurePosixPath("/data/reach")
    config["metadata"]["pose_config_path"] = pathlib.PureWindowsPath(r"C:\data\reach\pytorch_config.yaml")
    torch.save({"config": config, "pose": OrderedDict(a=torch.ones(1))}, tmp_path / "a.pt",
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    monkeypatch.undo()  # a computer without deeplabcut
    read = read_checkpoint(tmp_path / "a.pt").config
    assert read["net_type"] == "resnet_50"
    assert type(read["net_type"]) is str
    assert read["metadata"]["project_path"] == "/data/reach"
    assert read["metadata"]["pose_config_path"] == r"C:\data\reach\pytorch_config.yaml"


def test_paths_of_the_current_system_become_text(tmp_path: Path) -> None:
    torch.save({"a": Path("/data/reach")}, tmp_path / "a.pt")
    assert read_pt(tmp_path / "a.pt") == {"a": str(Path("/data/reach"))}


def test_numbers_and_containers_of_training_metadata_are_read(tmp_path: Path) -> None:
    """Metrics of old snapshots contain numpy numbers, and schedulers contain counters."""
    saved = {
        "float64": np.float64(2.5),
        "float32": np.float32(0.5),
        "int64": np.int64(-3),
        "bool": np.bool_(True),
        "big": np.dtype(">f8").type(1.5),
        "milestones": Counter({100: 1}),
        "state": defaultdict(dict, {"a": {"b": 1}}),
        "set": {1, 2},
        "frozen": frozenset({3}),
        "size": torch.Size([2, 3]),
        "device": torch.device("cuda", 1),
        "dtype": torch.float16,
        "bytes": b"\x00\xff",
        "nested": [(1, 2.5, None, "é"), {"x": [True]}],
    }
    torch.save(saved, tmp_path / "a.pt")
    read = read_pt(tmp_path / "a.pt")
    assert read == {**saved, "device": "cuda:1", "size": (2, 3)}
    assert type(read["float64"]) is float


def test_numpy_arrays_are_rejected(tmp_path: Path) -> None:
    torch.save({"a": np.ones(3)}, tmp_path / "a.pt")
    with pytest.raises(UnsafeFileError, match="_reconstruct"):
        read_pt(tmp_path / "a.pt")


def test_an_export(small_export: Path) -> None:
    checkpoint = read_checkpoint(small_export)
    assert checkpoint.format == "deeplabcut-export"
    assert checkpoint.detector is None
    assert checkpoint.sha256 == hashlib.sha256(small_export.read_bytes()).hexdigest()


def test_an_export_with_a_detector(tmp_path: Path, config: dict[str, Any]) -> None:
    for name, detector in (("none", None), ("some", {"model.a": torch.ones(1)})):
        torch.save({"config": config, "pose": {"a": torch.ones(1)}, "detector": detector}, tmp_path / f"{name}.pt")
    assert read_checkpoint(tmp_path / "none.pt").detector is None
    assert list(read_checkpoint(tmp_path / "some.pt").detector or {}) == ["model.a"]


def test_a_snapshot_uses_the_configuration_beside_it(tmp_path: Path, config: dict[str, Any]) -> None:
    metrics = {"metrics": {"test.mAP": np.float64(80.5)}, "epoch": 10, "losses": {}}
    torch.save({"metadata": metrics, "model": {"a": torch.ones(1)}, "optimizer": {}}, tmp_path / "snapshot-010.pt")
    with pytest.raises(ModelError, match=r"snapshot-010\.pt is a snapshot and needs pytorch_config\.yaml beside it"):
        read_checkpoint(tmp_path / "snapshot-010.pt")
    (tmp_path / "pytorch_config.yaml").write_text(yaml.safe_dump(config))
    checkpoint = read_checkpoint(tmp_path / "snapshot-010.pt")
    assert checkpoint.format == "deeplabcut-snapshot"
    assert checkpoint.config == config
    (tmp_path / "pytorch_config.yaml").write_text("!!python/object/apply:os.system ['touch canary']")
    with pytest.raises(ModelError, match="is not taken"):
        read_checkpoint(tmp_path / "snapshot-010.pt")
    (tmp_path / "pytorch_config.yaml").write_text("")
    with pytest.raises(ModelError, match="does not contain settings"):
        read_checkpoint(tmp_path / "snapshot-010.pt")


def test_a_detector_snapshot_is_rejected(tmp_path: Path) -> None:
    torch.save({"metadata": {}, "model": {"a": torch.ones(1)}}, tmp_path / "snapshot-detector-050.pt")
    with pytest.raises(ModelError, match="of a detector"):
        read_checkpoint(tmp_path / "snapshot-detector-050.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"layer.weight": torch.ones(2)}, r"weights without a configuration"),
        ({"pose": {"a": torch.ones(1)}}, r"without 'config'"),
        ({"config": {}, "pose": None}, r"no weights under 'pose'"),
        ({"config": {}}, r"no weights under 'pose'"),
        ({"config": {}, "pose": {"a": 3}}, r"a int as weight 'a'"),
        ({"metadata": {}, "state_dict": {}}, r"neither .* it holds 'metadata', 'state_dict'"),
        ({}, r"it holds nothing"),
        ([torch.ones(1)], r"holds a list"),
        (torch.ones(1), r"holds a Tensor"),
    ],
    ids="state_dict no_config pose_none no_pose number other empty list tensor".split(),
)
def test_files_without_a_model_are_rejected_with_a_reason(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ModelError, match=message) as error:
        read_checkpoint(tmp_path / "a.pt")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "a.pt") in str(error.value)
