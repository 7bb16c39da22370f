"""The runtime: its contract, devices, precisions, and description."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from dlclive_torch.device import available_devices
from dlclive_torch.runs import PlainRuns
from dlclive_torch.runtime import TorchNetwork

from dlclive_core import ModelError, PoseModel, Setting, UsageError, load_model
from dlclive_core.testing import PoseModelContract


class TestTorchModel(PoseModelContract):
    @pytest.fixture
    def model(self, small_export: Path) -> PoseModel:
        return load_model(small_export, "torch", device="cpu")


class TestTorchModelInHalfPrecision(PoseModelContract):
    @pytest.fixture
    def model(self, small_export: Path) -> PoseModel:
        return load_model(small_export, "torch", device="cpu", precision="fp16")


def test_the_model_describes_itself(small_export: Path) -> None:
    model = load_model(small_export, "torch", device="cpu")
    assert (model.runtime, model.device) == ("torch", "cpu")
    card = model.card
    assert (card.net_type, card.format, card.precision) == ("cspnext_s", "deeplabcut-export", "fp32")
    assert card.skeleton.keypoints == ("snout", "paw", "tail")
    assert card.stride == 16
    assert card.source_sha256 == hashlib.sha256(small_export.read_bytes()).hexdigest()
    assert card.scorer == "DLC_CspnextS_small"


def test_a_snapshot_and_its_export_give_the_same_pose(
    tmp_path: Path,
    config: dict[str, Any],
    small_weights: dict[str, torch.Tensor],
    small_export: Path,
    noise: Callable[..., np.ndarray],
) -> None:
    folder = tmp_path / "reachJan1-trainset95shuffle2" / "train"
    folder.mkdir(parents=True)
    (folder / "pytorch_config.yaml").write_text(yaml.safe_dump(config))
    metadata = {"epoch": 10, "metrics": {"test.rmse": np.float64(3.5)}, "losses": {}}
    torch.save({"metadata": metadata, "model": small_weights}, folder / "snapshot-best-010.pt")
    model = load_model(folder / "snapshot-best-010.pt", "torch", device="cpu")
    assert model.card.format == "deeplabcut-snapshot"
    assert model.card.scorer == "DLC_CspnextS_reachJan1shuffle2_snapshot_best-10"
    image = noise(96, 128)
    expected = load_model(small_export, "torch", device="cpu").predict(image)
    np.testing.assert_array_equal(model.predict(image).keypoints, expected.keypoints)


def test_a_batch_may_mix_shapes_and_grey_images(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    model = load_model(small_export, "torch", device="cpu")
    images = [noise(96, 128), noise(64, 80, 1), noise(96, 128, 2)[:, :, 0], noise(64, 80, 3)]
    poses = model.predict_batch(images)
    for pose, image in zip(poses, images, strict=True):
        np.testing.assert_allclose(pose.keypoints, model.predict(image).keypoints, atol=0.01)
    assert model.predict_batch([]) == []


def test_read_only_images_are_accepted(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    image = noise(96, 128)
    image.flags.writeable = False
    model = load_model(small_export, "torch", device="cpu")
    np.testing.assert_array_equal(model.predict(image).keypoints, model.predict(image.copy()).keypoints)
    np.testing.assert_array_equal(
        model.predict(image[:, ::-1]).keypoints, model.predict(image[:, ::-1].copy()).keypoints
    )


def test_boxes_are_rejected(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    with pytest.raises(UsageError, match="takes no boxes"):
        load_model(small_export, "torch", device="cpu").predict(noise(96, 128), boxes=np.zeros((1, 4), np.float32))


def test_half_precision_is_close_to_fp32(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    half = load_model(small_export, "torch", device="cpu", precision="fp16")
    assert half.card.precision == "fp16"
    full = load_model(small_export, "torch", device="cpu")
    off = np.abs(half.predict(noise(96, 128)).keypoints - full.predict(noise(96, 128)).keypoints)
    assert 0 < off.max() < 0.5


def test_bfloat16_is_close_to_fp32(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    """The small network is untrained: its keypoints may be in other cells, but its confidences are close."""
    half = load_model(small_export, "torch", device="cpu", precision="bf16")
    assert half.card.precision == "bf16"
    full = load_model(small_export, "torch", device="cpu")
    off = np.abs(half.predict(noise(96, 128)).confidence - full.predict(noise(96, 128)).confidence)
    assert 0 < off.max() < 0.1


@pytest.mark.parametrize(
    ("capabilities", "precisions"),
    [
        ({"avx512_bf16": True, "architecture": "x86_64"}, ["fp32", "bf16"]),
        ({"bf16": True, "architecture": "aarch64"}, ["fp32", "bf16"]),
        ({"avx512_bf16": False, "avx512_f": True}, ["fp32"]),
        ({}, ["fp32"]),
    ],
)
def test_settings_match_the_hardware(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capabilities: dict[str, Any], precisions: list[str]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert TorchNetwork.settings(tmp_path / "a.pt") == [Setting("cpu", name) for name in precisions]
    assert TorchNetwork.settings(tmp_path / "a.onnx") == ()


@pytest.mark.parametrize(("capability", "precisions"), [((7, 5), ["fp32", "fp16"]), ((9, 0), ["fp32", "fp16", "bf16"])])
def test_settings_of_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capability: tuple[int, int], precisions: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    available = TorchNetwork.settings(tmp_path / "a.pt")
    assert [item.precision for item in available if item.device == "cuda:1"] == precisions


def test_out_of_memory_is_a_model_error_with_advice(
    small_export: Path, monkeypatch: pytest.MonkeyPatch, noise: Callable[..., np.ndarray]
) -> None:
    def full(*inputs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nGPU 0 has ...")

    network = TorchNetwork(small_export, device="cpu")
    monkeypatch.setattr(PlainRuns, "run", full)
    with pytest.raises(
        ModelError, match=r"^cpu has too little memory for 2 images of 128 x 96 in fp32: use smaller"
    ) as error:
        network.run(np.stack([noise(96, 128)] * 2))
    assert "\n" not in str(error.value)


def test_a_closed_network_raises_a_model_error(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    network = TorchNetwork(small_export, device="cpu")
    network.close()
    network.close()
    with pytest.raises(ModelError, match="closed"):
        network.run(noise(96, 128)[None])


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "CPU"])
def test_an_unavailable_device_is_an_error_that_lists_the_available_ones(small_export: Path, device: str) -> None:
    with pytest.raises(UsageError, match=r"available: auto, .*cpu"):
        load_model(small_export, "torch", device=device)


def test_auto_selects_the_first_available_device(small_export: Path) -> None:
    assert load_model(small_export, "torch").device.startswith(available_devices()[0])


def test_wrong_options_are_usage_errors(small_export: Path) -> None:
    with pytest.raises(UsageError, match="choose from auto, fp32, fp16, bf16"):
        load_model(small_export, "torch", precision="int8")
    with pytest.raises(UsageError, match="threads"):
        load_model(small_export, "torch", threads=0)


def test_threads_are_set(small_export: Path) -> None:
    before = torch.get_num_threads()
    try:
        load_model(small_export, "torch", device="cpu", threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "bodyparts"), 5),
        (("metadata", "bodyparts"), []),
        (("model", "backbone"), None),
        (("model", "backbone", "widen_factor"), "wide"),
        (("model", "heads"), ["bodypart"]),
        (("model", "heads", "bodypart", "predictor"), 3),
        (("model", "heads", "bodypart", "heatmap_config"), None),
        (("data", "inference", "auto_padding"), {"pad_height_divisor": "x"}),
    ],
)
def test_invalid_values_in_a_configuration_are_model_errors(
    tmp_path: Path, config: dict[str, Any], path: tuple[str, ...], value: object
) -> None:
    part = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    torch.save({"config": config, "pose": {"a": torch.ones(1)}}, tmp_path / "a.pt")
    with pytest.raises(ModelError) as error:
        load_model(tmp_path / "a.pt", "torch", device="cpu")
    assert "\n" not in str(error.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
@pytest.mark.parametrize(("precision", "bound"), [("fp32", 0.05), ("fp16", 0.5), ("bf16", 4)])
def test_a_gpu_gives_the_same_pose(
    small_export: Path, noise: Callable[..., np.ndarray], precision: str, bound: float
) -> None:
    model = load_model(small_export, "torch", device="cuda", precision=precision)
    assert model.device.startswith("cuda:0 (")
    expected = load_model(small_export, "torch", device="cpu").predict(noise(96, 128)).keypoints
    np.testing.assert_allclose(model.predict(noise(96, 128)).keypoints, expected, atol=bound)
