"""The plugins of dlclive-tensorrt. This module is loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl

_REQUIRES = ("tensorrt", "cuda.bindings")
_INSTALL = "pip install dlclive-tensorrt"


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    """The runtime of TensorRT engines."""
    return [
        RuntimeInfo(
            name="tensorrt",
            summary="TensorRT engines built on this computer, on NVIDIA GPUs",
            factory="dlclive_tensorrt.runtime:TensorRTNetwork",
            requires=_REQUIRES,
            install_hint=_INSTALL,
            reads=(".engine",),
            fixed_size=(".engine",),
            libraries=("tensorrt",),
        )
    ]


@hookimpl
def dlclive_register_exporters() -> list[ExporterInfo]:
    """The exporter from ONNX to TensorRT engines.

    It can convert most networks to half precision itself, but PyTorch's export in half precision is preferred.
    """
    return [
        ExporterInfo(
            name="onnx-tensorrt",
            summary="dlclive's ONNX file as a TensorRT engine for this computer's GPU",
            factory="dlclive_tensorrt.exporter:EngineExporter",
            reads=".onnx",
            writes=".engine",
            precisions=("fp32", "fp16"),
            converts=False,
            requires=_REQUIRES,
            install_hint=_INSTALL,
        )
    ]
