"""The doubles offer nothing that TensorRT 11.4 does not have. Its names were read from its published Python bindings."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

REAL = json.loads(Path(__file__).with_name("tensorrt_names.json").read_text())
HIDDEN = {"ready"}


def test_every_name_of_the_double_is_real(machine) -> None:
    trt = sys.modules["tensorrt"]
    for name, real in REAL["classes"].items():
        ours = getattr(trt, name, None)
        if ours is not None:
            own = {each for each in vars(ours) if not each.startswith("_")} - HIDDEN
            assert own <= set(real), f"{name} has no {own - set(real)}"
    for name, real in REAL["enums"].items():
        kind = trt.ILogger.Severity if name == "Severity" else getattr(trt, name, None)
        if kind is not None:
            assert set(kind.__members__) <= set(real)


def test_what_was_removed_is_not_there() -> None:
    """That the names are those of version 11."""
    assert not {"FP16", "INT8", "BF16", "OBEY_PRECISION_CONSTRAINTS"} & set(REAL["enums"]["BuilderFlag"])
    assert "EXPLICIT_BATCH" not in REAL["enums"]["NetworkDefinitionCreationFlag"]
    assert "platform_has_fast_fp16" not in REAL["classes"]["Builder"]


def test_the_installed_bindings_have_the_names() -> None:
    if importlib.util.find_spec("tensorrt") is None:
        pytest.skip("TensorRT is not installed")
    import tensorrt as trt

    for name, ours in REAL["classes"].items():
        gone = [each for each in ours if not hasattr(getattr(trt, name), each)]
        assert not gone, f"TensorRT {trt.__version__} has no {name}.{gone[0]} any more"


def test_cuda_has_the_names(machine) -> None:
    """Of the module that the double stands for, where it is installed: it is, with PyTorch for CUDA."""
    double = sys.modules.pop("cuda.bindings.runtime")
    stand_ins = {name: sys.modules.pop(name) for name in ("cuda", "cuda.bindings")}
    try:
        real = pytest.importorskip("cuda.bindings.runtime")
        for name in vars(double):
            assert name.startswith("_") or hasattr(real, name), name
        for kind in ("cudaError_t", "cudaMemcpyKind", "cudaStreamCaptureMode"):
            ours, theirs = getattr(double, kind).__members__, getattr(real, kind).__members__
            assert {name: int(value) for name, value in ours.items()}.items() <= {
                n: int(v) for n, v in theirs.items()
            }.items()
    finally:
        sys.modules.update(stand_ins)
        sys.modules["cuda.bindings.runtime"] = double
