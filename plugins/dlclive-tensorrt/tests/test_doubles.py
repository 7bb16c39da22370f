"""The doubles have only names of TensorRT 11.4, which were read from its published Python bindings."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

REAL = json.loads(Path(__file__).with_name("tensorrt_names.json").read_text())
HIDDEN = {"ready"}


def test_every_name_of_the_double_is_real(machine) -> None:
    trt = sys.modules["tensorrt"]
    compared = 0
    for name, real in REAL["classes"].items():
        ours = getattr(trt, name, None)
        if ours is not None:
            compared += 1
            own = {each for each in vars(ours) if not each.startswith("_")} - HIDDEN
            assert own <= set(real), f"{name} has no {own - set(real)}"
    for name, real in REAL["enums"].items():
        kind = trt.ILogger.Severity if name == "Severity" else getattr(trt, name, None)
        if kind is not None:
            compared += 1
            assert set(kind.__members__) <= set(real)
    assert compared > 10


def test_the_recorded_names_are_those_of_version_11() -> None:
    """Version 11 removed these names."""
    assert not {"FP16", "INT8", "BF16", "OBEY_PRECISION_CONSTRAINTS"} & set(REAL["enums"]["BuilderFlag"])
    assert "EXPLICIT_BATCH" not in REAL["enums"]["NetworkDefinitionCreationFlag"]
    assert "platform_has_fast_fp16" not in REAL["classes"]["Builder"]


def test_the_installed_tensorrt_has_the_recorded_names() -> None:
    if importlib.util.find_spec("tensorrt") is None:
        pytest.skip("TensorRT is not installed")
    import tensorrt as trt

    for name, ours in REAL["classes"].items():
        missing = [each for each in ours if not hasattr(getattr(trt, name), each)]
        assert not missing, f"TensorRT {trt.__version__} no longer has {name}.{missing[0]}"


@pytest.fixture
def real_cuda():
    """The real CUDA bindings, if installed (for example with PyTorch for CUDA)."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "cuda"}
    yield pytest.importorskip("cuda.bindings.runtime")
    for name in [name for name in sys.modules if name.partition(".")[0] == "cuda"]:
        del sys.modules[name]
    sys.modules.update(before)


def test_the_real_cuda_bindings_have_all_names_of_the_double(machine, real_cuda) -> None:
    double = sys.modules["dlclive_tensorrt_cuda_double"].make_cuda(machine)
    for name in vars(double):
        assert name.startswith("_") or hasattr(real_cuda, name), name
    for kind in ("cudaError_t", "cudaMemcpyKind", "cudaStreamCaptureMode"):
        real = {name: int(value) for name, value in getattr(real_cuda, kind).__members__.items()}
        assert {name: int(value) for name, value in getattr(double, kind).__members__.items()}.items() <= real.items()


def test_the_real_cuda_bindings_accept_the_arguments(real_cuda) -> None:
    """Without a driver, a call with valid arguments returns an error code; with invalid ones it raises TypeError."""
    if real_cuda.cudaGetDeviceCount()[0] == real_cuda.cudaError_t.cudaSuccess:
        pytest.skip("on a computer with a GPU, these calls would have effects")
    kind, mode = real_cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, real_cuda.cudaStreamCaptureMode
    graph, executable = real_cuda.cudaGraph_t(0), real_cuda.cudaGraphExec_t(0)
    calls = {
        "cudaSetDevice": (0,),
        "cudaMemGetInfo": (),
        "cudaMalloc": (16,),
        "cudaMallocHost": (16,),
        "cudaFree": (0,),
        "cudaFreeHost": (0,),
        "cudaMemcpyAsync": (256, 512, 16, kind, 5),
        "cudaStreamCreateWithFlags": (real_cuda.cudaStreamNonBlocking,),
        "cudaStreamSynchronize": (5,),
        "cudaStreamDestroy": (5,),
        "cudaStreamBeginCapture": (5, mode.cudaStreamCaptureModeThreadLocal),
        "cudaStreamEndCapture": (5,),
        "cudaGraphInstantiate": (graph, 0),
        "cudaGraphLaunch": (executable, 5),
        "cudaGraphExecDestroy": (executable,),
        "cudaGraphDestroy": (graph,),
        "cudaGetDeviceProperties": (0,),
    }
    for name, arguments in calls.items():
        assert getattr(real_cuda, name)(*arguments)[0] != real_cuda.cudaError_t.cudaSuccess, name
