"""The arithmetic is always said, and a device that has another one is an error."""

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


def chosen(asked: str, written: str, capabilities: tuple[str, ...]) -> Arithmetic:
    return choose(asked, written, capabilities, name="m.xml", device="cpu")


@pytest.mark.parametrize("capabilities", [OLD, NEW, NEWEST])
def test_fp32_is_fp32_unless_asked_otherwise(capabilities: tuple[str, ...]) -> None:
    assert chosen("auto", "fp32", capabilities) == chosen("fp32", "fp32", capabilities) == Arithmetic("fp32", "f32")


def test_bf16_where_the_device_has_it() -> None:
    assert chosen("bf16", "fp32", NEW) == chosen("auto", "bf16", NEW) == Arithmetic("bf16", "bf16")
    assert chosen("fp32", "bf16", OLD) == Arithmetic("fp32", "f32")
    for asked, written in (("bf16", "fp32"), ("auto", "bf16")):
        with pytest.raises(
            UsageError, match=r"cannot be run in bf16 on cpu, which computes in fp32, int8; .* in fp32$"
        ):
            chosen(asked, written, OLD)


def test_half_precision_weights_are_computed_in_fp32_where_the_device_has_no_fp16() -> None:
    assert chosen("auto", "fp16", NEW) == Arithmetic("fp32", "f32")
    assert chosen("auto", "fp16", NEWEST) == Arithmetic("fp16", "f16")
    with pytest.raises(UsageError, match="cannot be run in fp16"):
        chosen("fp16", "fp16", NEW)


def test_the_float_parts_of_int8_are_in_bf16_where_the_device_has_it() -> None:
    assert chosen("auto", "int8", NEW) == Arithmetic("int8", "bf16")
    assert chosen("int8", "int8", OLD) == Arithmetic("int8", "f32")
    with pytest.raises(UsageError, match="is in int8 and cannot be run in fp32"):
        chosen("fp32", "int8", NEW)
    with pytest.raises(UsageError, match="nothing here: export the model again"):
        chosen("auto", "int8", ("FP32",))


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
def test_what_a_file_can_be_run_in(written: str, capabilities: tuple[str, ...], able: tuple[str, ...]) -> None:
    assert possible(written, capabilities) == able


def test_devices_have_our_names() -> None:
    found = ["CPU", "GPU.0", "GPU.1", "NPU"]
    assert device_names(found) == ["cpu", "gpu:0", "gpu:1"]
    assert [resolve(name, found) for name in ("auto", "CPU", "gpu", "gpu:0", "gpu:1")] == [
        "CPU",
        "CPU",
        "GPU.0",
        "GPU.0",
        "GPU.1",
    ]
    assert resolve("gpu:0", ["CPU", "GPU"]) == "GPU"
    for name in ("gpu:2", "npu", "cuda:0", ""):
        with pytest.raises(UsageError, match="choose auto, cpu, gpu:0, gpu:1"):
            resolve(name, found)


def test_settings_are_those_of_all_devices(mouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        available_devices = ("CPU", "GPU")
        read_model = ov.Core().read_model

    monkeypatch.setattr(devices, "core", Machine)
    monkeypatch.setattr(devices, "capabilities", lambda _, device: {"CPU": NEW, "GPU": ("FP32", "FP16")}[device])
    assert OpenVinoNetwork.settings(mouse) == [Setting("cpu", "fp32"), Setting("cpu", "bf16"), Setting("gpu", "fp32")]


def test_what_openvino_says_it_computes_in_is_looked_at(mouse: Path) -> None:
    """Asked for f16 where the CPU has none, OpenVINO takes another one, and says nothing."""
    core = ov.Core()
    if "FP16" in devices.capabilities(core, "CPU"):
        pytest.skip("this CPU has fp16")
    network = Compiled(core, read_network(mouse)[0], "CPU", {"INFERENCE_PRECISION_HINT": "f16"}, "mouse.onnx")
    with pytest.raises(ModelError, match=r"OpenVINO runs mouse\.onnx in .*, where f16 on CPU was asked for"):
        network.run(np.zeros((1, 64, 64, 3), np.uint8))


def test_bf16_is_another_arithmetic(mouse: Path, openvino, pictures, has_bf16: bool) -> None:
    images = pictures(3)
    with openvino(mouse) as full, openvino(mouse, precision="bf16") as half:
        assert half.device == "cpu (OpenVINO, bf16)"
        apart = [np.abs(full.predict(image).keypoints - half.predict(image).keypoints).max() for image in images]
    assert 1e-4 < max(apart) < 2
