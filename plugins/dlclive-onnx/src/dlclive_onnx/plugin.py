"""What dlclive-onnx offers."""

from __future__ import annotations

from dlclive_core import RuntimeInfo, hookimpl


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    return [
        RuntimeInfo(
            name="onnx",
            summary="ONNX Runtime on CPU and CUDA",
            factory="dlclive_onnx.runtime:OnnxNetwork",
            requires=("onnxruntime",),
            install_hint="pip install dlclive-onnx",
            reads=(".onnx",),
        )
    ]
