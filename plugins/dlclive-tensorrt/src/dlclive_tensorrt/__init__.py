"""TensorRT 11 for dlclive: engines for NVIDIA GPUs, run as one CUDA graph."""

__version__ = "0.1.0"
