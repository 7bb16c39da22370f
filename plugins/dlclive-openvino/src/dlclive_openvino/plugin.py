"""The plugins of dlclive-openvino. This module is loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    """The runtime of OpenVINO's own files and of ONNX files; for the latter ONNX Runtime takes precedence if installed."""
    return [
        RuntimeInfo(
            name="openvino",
            summary="OpenVINO on CPUs, in fp32, bf16 and int8",
            factory="dlclive_openvino.runtime:OpenVinoNetwork",
            reads=(".xml", ".onnx"),
            companions={".xml": (".bin",)},
            libraries=("openvino",),
            profile_options=("threads", "pinning"),
            requires=("openvino",),
            install_hint="pip install dlclive-openvino",
        )
    ]


@hookimpl
def dlclive_register_exporters() -> list[ExporterInfo]:
    """From ONNX to OpenVINO's own format. int8 is separate because it needs NNCF."""
    return [
        ExporterInfo(
            name="onnx-openvino",
            summary="dlclive's ONNX file as OpenVINO's own .xml and .bin",
            factory="dlclive_openvino.export:OpenVinoExporter",
            reads=".onnx",
            writes=".xml",
            precisions=("fp32", "bf16"),
            requires=("openvino",),
            install_hint="pip install dlclive-openvino",
        ),
        ExporterInfo(
            name="onnx-openvino-int8",
            summary="The same in int8, calibrated on a clip, with heads and decoding left in float",
            factory="dlclive_openvino.export:OpenVinoExporter",
            reads=".onnx",
            writes=".xml",
            precisions=("int8",),
            requires=("openvino", "nncf"),
            install_hint="pip install 'dlclive-openvino[int8]'",
        ),
    ]
