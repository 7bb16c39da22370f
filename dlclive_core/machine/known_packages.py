"""The project's own packages and what they are for: the one place in the core that names them.

Used for advice where nothing installed can do what was asked for, and for the versions in reports. Nothing is chosen by it.
"""

from __future__ import annotations

INSTALL_FOR_MODELS = {
    ".pt": "pip install dlclive-torch",
    ".onnx": "pip install dlclive-onnx",
    ".xml": "pip install dlclive-openvino",
    ".engine": "pip install 'dlclive-tensorrt[gpu]'",
}
"""What runs models with a suffix that no installed runtime reads."""

INSTALL_RUNTIME = INSTALL_FOR_MODELS[".onnx"]
"""The lightest runtime."""

INSTALL_EXPORTERS = INSTALL_FOR_MODELS[".pt"]

INSTALL_FILES = "pip install dlclive-io"
"""Videos, tables, recordings, and the recovery of these."""

INSTALL_RESIZE = "pip install 'dlclive-core[resize]'"

REPORTED = (
    "dlclive-core",
    "dlclive-torch",
    "dlclive-onnx",
    "dlclive-openvino",
    "dlclive-tensorrt",
    "dlclive-io",
    "dlclive-processors",
    "dlclive-cameras",
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
"""Distributions whose versions stand in reports, if they are installed."""
