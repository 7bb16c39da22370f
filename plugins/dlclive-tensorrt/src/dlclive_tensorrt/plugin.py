"""What dlclive-tensorrt offers. Imports nothing heavy: this module is loaded to list plugins."""

from __future__ import annotations

from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl

_REQUIRES = ("tensorrt", "cuda.bindings")
_INSTALL = "pip install 'dlclive-tensorrt[gpu]'"


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    """The runtime of TensorRT engines."""
    return [
        RuntimeInfo(
            name="tensorrt",
            summary="TensorRT engines that were built here, on NVIDIA GPUs",
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

    It can bring most networks to half precision by itself, but what PyTorch exported in half precision is better known.
    """
    return [
        ExporterInfo(
            name="onnx-tensorrt",
            summary="An ONNX file of dlclive's as a TensorRT engine for this machine's GPU",
            factory="dlclive_tensorrt.exporter:EngineExporter",
            reads=".onnx",
            writes=".engine",
            precisions=("fp32", "fp16"),
            converts=False,
            requires=_REQUIRES,
            install_hint=_INSTALL,
        )
    ]
