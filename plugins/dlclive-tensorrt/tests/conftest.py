"""A computer with a GPU and TensorRT, simulated by test doubles."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlclive_core.demo import MODEL

_GPU_MODULES = "cuda compatibility messages timing build exporter detector loaded_plan runtime".split()
"""Modules of the plugin that import TensorRT or CUDA, or import one that does."""


def _beside(name: str) -> ModuleType:
    """Import a file of this folder as a module."""
    spec = importlib.util.spec_from_file_location(f"dlclive_tensorrt_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


CUDA, TENSORRT = _beside("cuda_double"), _beside("tensorrt_double")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A computer with one GPU, which records what happens on it."""
    pytest.importorskip("onnxruntime", reason="the double of TensorRT computes with ONNX Runtime")
    machine = CUDA.Machine()
    cuda, bindings, runtime = ModuleType("cuda"), ModuleType("cuda.bindings"), CUDA.make_cuda(machine)
    cuda.bindings, bindings.runtime = bindings, runtime  # type: ignore[attr-defined]
    for module in (cuda, bindings, runtime, TENSORRT.make_tensorrt(machine)):
        module.__spec__ = ModuleSpec(module.__name__, None)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    _forget()
    yield machine
    _forget()


def _forget() -> None:
    """Make the next import of the plugin's modules use the currently installed doubles."""
    for name in _GPU_MODULES:
        sys.modules.pop(f"dlclive_tensorrt.{name}", None)


@pytest.fixture
def another_tensorrt(machine: Any, monkeypatch: pytest.MonkeyPatch):
    """Install another version: another_tensorrt("11.5.0.1")."""

    def install(version: str) -> None:
        monkeypatch.setattr(sys.modules["tensorrt"], "__version__", version)

    return install


@pytest.fixture
def mouse(tmp_path: Path) -> Path:
    """The demo network, which accepts any size."""
    path = tmp_path / "mouse.onnx"
    path.write_bytes(MODEL.read_bytes())
    return path


@pytest.fixture
def engine(machine: Any, mouse: Path) -> Path:
    """An engine of the demo network for images of 160 x 128."""
    from dlclive_tensorrt.exporter import EngineExporter

    path = mouse.with_suffix(".engine")
    EngineExporter().export(mouse, path, size=(160, 128))
    machine.events.clear()
    return path


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """(128, 160, 3) uint8 images with something in them."""
    from dlclive_core.demo.source import MouseSource

    with MouseSource(seed=5, frames=4, size=(160, 128)) as source:
        source.open()
        return [source.read(1.0).image for _ in range(4)]
