"""What dlclive-onnx offers. Imports nothing heavy: this module is loaded to list plugins."""

from __future__ import annotations

from dlclive_core import ExporterInfo, RuntimeInfo, hookimpl


@hookimpl
def dlclive_register_runtimes() -> list[RuntimeInfo]:
    """ONNX Runtime, the default among the runtimes that read ONNX files."""
    return [
        RuntimeInfo(
            name="onnx",
            summary="ONNX Runtime on CPU and CUDA",
            factory="dlclive_onnx.runtime:OnnxNetwork",
            requires=("onnxruntime",),
            install_hint="pip install dlclive-onnx",
            reads=(".onnx",),
            preference=10,
            libraries=("onnxruntime", "onnxruntime-gpu"),
            profile_options=("threads", "spinning", "cuda_nhwc", "cuda_graph", "cuda_search"),
        )
    ]


@hookimpl
def dlclive_register_exporters() -> list[ExporterInfo]:
    """The quantiser, and the exporters for programs that run SLEAP's models."""
    programs = {
        "bonsai": ("BonsaiExporter", "A folder for Bonsai.Sleap: a frame of Bonsai in, SLEAP's arrays out"),
        "sleap-nn": ("SleapNNExporter", "A folder for sleap-nn predict: SLEAP's arrays out"),
    }
    return [
        *(
            ExporterInfo(
                name=name,
                summary=summary,
                factory=f"dlclive_onnx.sleap.exporter:{exporter}",
                reads=".onnx",
                writes=".onnx",
                precisions=("fp32", "fp16"),
                converts=False,
                program=name,
                requires=("onnxruntime", "onnx"),
                install_hint="pip install 'dlclive-onnx[bonsai]'",
            )
            for name, (exporter, summary) in programs.items()
        ),
        ExporterInfo(
            name="onnx-int8",
            summary="An ONNX file with its convolutions in int8, calibrated on a clip; for CPUs",
            factory="dlclive_onnx.export:OnnxQuantiser",
            reads=".onnx",
            writes=".onnx",
            precisions=("int8",),
            requires=("onnxruntime", "onnx"),
            install_hint="pip install 'dlclive-onnx[int8]'",
        ),
    ]
