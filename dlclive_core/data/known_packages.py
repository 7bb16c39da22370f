"""The packages that dlclive's authors publish and the libraries they use: data, so that no code of the core names a plugin.

What a package can do when it is installed, it says itself in its hooks (`dlclive_core.hookspecs`). This is what to suggest
when it is not, and whose versions a report lists.
"""

from __future__ import annotations

CORE = "dlclive-core"

MODEL_INSTALLS = {
    ".pt": "pip install dlclive-torch",
    ".onnx": "pip install dlclive-onnx",
    ".xml": "pip install dlclive-openvino",
    ".engine": "pip install 'dlclive-tensorrt[gpu]'",
}
"""The command that installs a runtime, by the suffix of the model file."""

EXPORTER_INSTALL = "pip install dlclive-torch"
"""The command that installs the first exporter that most users need."""

FILES_INSTALL = "pip install dlclive-io"
"""The command that installs sources and sinks for videos, images and tables, and their recovery."""

DISTRIBUTIONS = (
    CORE,
    "dlclive-torch",
    "dlclive-onnx",
    "dlclive-openvino",
    "dlclive-tensorrt",
    "dlclive-io",
    "dlclive-processors",
    "dlclive-cameras",
)
"""Our own distributions."""

LIBRARIES = (
    "numpy",
    "torch",
    "timm",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "nncf",
    "tensorrt-cu13",
    "cuda-bindings",
    "av",
    "opencv-python-headless",
    "opencv-python",
    "pandas",
    "tables",
)
"""Distributions of others whose versions can change a result."""
