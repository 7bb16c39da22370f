"""The plugin of this package. Imports nothing heavy, because listing plugins loads this module."""

from __future__ import annotations

from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl
from dlclive_torch.precisions import FILE_PRECISIONS

_INSTALL = "pip install dlclive-torch"


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    """Return the PyTorch runtime."""
    return [
        RuntimeInfo(
            name="torch",
            summary="DeepLabCut 3 exports and snapshots on PyTorch (CPU, CUDA, Apple GPU)",
            factory="dlclive_torch.runtime:TorchNetwork",
            reads=(".pt",),
            libraries=("torch",),
            profile_options=("threads", "cuda_graph"),
            requires=("torch", "timm"),
            install_hint=_INSTALL,
        )
    ]


@hookimpl
def dlclive_register_exporters() -> list[ExporterInfo]:
    """Return the exporter to ONNX."""
    return [
        ExporterInfo(
            name="torch-onnx",
            summary="A DeepLabCut 3 model as one ONNX file: uint8 image in, keypoints out",
            factory="dlclive_torch.export:OnnxExporter",
            reads=".pt",
            writes=".onnx",
            precisions=FILE_PRECISIONS,
            requires=("torch", "timm", "onnx", "onnxscript"),
            install_hint=_INSTALL,
        )
    ]
