"""The precisions of exported files, for the plugin's description, which must not import torch."""

from __future__ import annotations

FILE_PRECISIONS = ("fp32", "fp16")
"""ONNX Runtime has no bf16 convolutions on CPUs, and other runtimes convert fp32 to bf16 themselves."""
