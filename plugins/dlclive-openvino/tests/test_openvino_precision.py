"""The arithmetic is always explicit, and a device that uses another one is an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlclive_openvino import devices
from dlclive_openvino.compiled import Compiled
from dlclive_openvino.devices import device_names, resolve
from dlclive_openvino.files import read_network
from dlclive_openvino.library import ov
from dlclive_openvino.precision import Arithmetic, choose, possible
from dlclive_openvino.runtime import OpenVinoNetwork

from dlclive_core import ModelError, Setting, UsageError

OLD = ("FP32", "INT8", "BIN")
NEW = ("BF16", "WINOGRAD", "FP32", "INT8")
NEWEST = (*NEW, "FP16")


def arithmetic(requested: str, written: str, capabilities: tuple[str, ...]) -> Arithmetic:
    return choose(requested, written, capabilities, name="m.xml", device="cpu")


@pytest.mark.parametrize("capabilities", [OLD, NEW, NEWEST])
def test_fp32_stays_fp32_by_default(capabilities: tuple[str, ...]) -> None:
    assert (
        arithmetic("auto", "fp32", capabilities)
        == arithmetic("fp32", "fp32", capabilities)
        == Arithmetic("fp32", "f32")
    )


def test_bf16_needs_device_support() -> None:
    assert arithmetic("bf16", "fp32", NEW) == arithmetic("auto", "bf16", NEW) == Arithmetic("bf16", "bf16")
    assert arithmetic("fp32", "bf16", OLD) == Arithmetic("fp32", "f32")
    for requested, written in (("bf16", "fp32"), ("auto", "bf16")):
        with pytest.raises(
            UsageError, match=r"cannot be run in bf16 on cpu, which supports fp32, int8; run it in fp32$"
        ):
            arithmetic(requested, written, OLD)


def test_half_precision_weights_are_computed_in_fp32_where_the_device_has_no_fp16() -> None:
    assert arithmetic("auto", "fp16", NEW) == Arithmetic("fp32", "f32")
    assert arithmetic("auto", "fp16", NEWEST) == Arithmetic("fp16", "f16")
    with pytest.raises(UsageError, match="cannot be run in fp16"):
        arithmetic("fp16", "fp16", NEW)


def test_the_float_parts_of_int8_are_in_bf16_where_the_device_has_it() -> None:
    assert arithmetic("auto", "int8", NEW) == Arithmetic("int8", "bf16")
    assert arithmetic("int8", "int8", OLD) == Arithmetic("int8", "f32")
    with pytest.raises(UsageError, match="is in int8 and cannot be run in fp32"):
        arithmetic("fp32", "int8", NEW)
    with pytest.raises(UsageError, match="supports fp32; export the model again in another precision"):
        arithmetic("auto", "int8", ("FP32",))


@pytest.mark.parametrize(
    ("written", "capabilities", "able"),
    [
        ("fp32", NEW, ("fp32", "bf16")),
        ("fp32", OLD, ("fp32",)),
        ("bf16", NEW, ("bf16", "fp32")),
        ("fp16", NEW, ("fp32",)),
        ("int8", NEW, ("int8",)),
        ("int4", NEW, ()),
    ],
)
def test_possible_precisions_of_a_file(written: str, capabilities: tuple[str, ...], able: tuple[str, ...]) -> None:
    assert possible(written, capabilities) == able


def test_device_names_of_dlclive_and_openvino() -> None:
    available = ["CPU", "GPU.0", "GPU.1", "NPU"]
    assert device_names(available) == ["cpu", "gpu:0", "gpu:1"]
    assert [resolve(name, available) for name in ("auto", "CPU", "gpu", "gpu:0", "gpu:1")] == [
        "CPU",
        "CPU",
        "GPU.0",
        "GPU.0",
        "GPU.1",
    ]
    assert resolve("gpu:0", ["CPU", "GPU"]) == "GPU"
    for name in ("gpu:2", "npu", "cuda:0", ""):
        with pytest.raises(UsageError, match="choose auto, cpu, gpu:0, gpu:1"):
            resolve(name, available)


def test_settings_cover_all_devices(mouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        available_devices = ("CPU", "GPU")
        read_model = ov.Core().read_model

    monkeypatch.setattr(devices, "core", Machine)
    monkeypatch.setattr(devices, "capabilities", lambda _, device: {"CPU": NEW, "GPU": ("FP32", "FP16")}[device])
    assert OpenVinoNetwork.settings(mouse) == [Setting("cpu", "fp32"), Setting("cpu", "bf16"), Setting("gpu", "fp32")]


def test_a_precision_other_than_the_requested_one_is_an_error(mouse: Path) -> None:
    """On a CPU without f16, OpenVINO silently falls back to another precision."""
    core = ov.Core()
    if "FP16" in devices.capabilities(core, "CPU"):
        pytest.skip("this CPU has fp16")
    network = Compiled(core, read_network(mouse)[0], "CPU", {"INFERENCE_PRECISION_HINT": "f16"}, "mouse.onnx")
    with pytest.raises(ModelError, match=r"OpenVINO runs mouse\.onnx in .*, not in f16 on CPU as requested"):
        network.run(np.zeros((1, 64, 64, 3), np.uint8))


def test_bf16_results_differ_slightly_from_fp32(mouse: Path, openvino, pictures, has_bf16: bool) -> None:
    images = pictures(3)
    with openvino(mouse) as full, openvino(mouse, precision="bf16") as half:
        assert half.device == "cpu (OpenVINO, bf16)"
        differences = [np.abs(full.predict(image).keypoints - half.predict(image).keypoints).max() for image in images]
    assert 1e-4 < max(differences) < 2
