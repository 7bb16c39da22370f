"""The project's own packages and their purpose; no other file of the core names them.

Used only for installation advice and for the versions in reports, never to select a component.
"""

from __future__ import annotations

INSTALL_FOR_MODELS = {
    ".pt": "pip install dlclive-torch",
    ".onnx": "pip install dlclive-onnx",
    ".xml": "pip install dlclive-openvino",
    ".engine": "pip install dlclive-tensorrt",
}
"""How to install a runtime for each model suffix."""

INSTALL_RUNTIME = INSTALL_FOR_MODELS[".onnx"]
"""The lightest runtime."""

INSTALL_EXPORTERS = INSTALL_FOR_MODELS[".pt"]

INSTALL_FILES = "pip install dlclive-io"
"""Provides videos, tables, recordings, and their recovery."""

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
"""Distributions whose versions appear in reports if they are installed."""
