"""Every DeepLabCut 3 network on PyTorch, and the exporter to ONNX."""

__version__ = "0.1.0"
