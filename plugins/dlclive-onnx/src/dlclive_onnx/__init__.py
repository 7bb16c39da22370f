"""ONNX Runtime for dlclive: CPU and CUDA."""

__version__ = "0.1.0"
