"""TensorRT's log messages, kept so that an error can state the reason."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import tensorrt as trt

from dlclive_core import ModelError
from dlclive_tensorrt.cuda import GpuMemoryError, free_memory

Started = TypeVar("Started")

_MEMORY = ("out of memory", "outofmemory", "cudaerrormemoryallocation", "insufficient memory", "insufficient workspace")


class Messages(trt.ILogger):  # type: ignore[misc, unused-ignore]
    """Collects TensorRT's errors and warnings, the newest last. Nothing is printed."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.errors: deque[str] = deque(maxlen=20)
        self.warnings: deque[str] = deque(maxlen=50)

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Called by TensorRT, from its threads."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self.errors.append(" ".join(msg.split()))
        elif severity == trt.ILogger.Severity.WARNING:
            self.warnings.append(" ".join(msg.split()))

    def start(self, kind: Callable[[Messages], Started], what: str) -> Started:
        """Create TensorRT's builder or runtime. Without a working driver they raise TypeError, reported as ModelError."""
        try:
            return kind(self)
        except TypeError as error:
            self.errors.append(str(error))
            raise self.failure(f"TensorRT's {what} cannot start: check the driver with nvidia-smi") from None

    def failure(self, what: str) -> ModelError:
        """An error with what failed and TensorRT's first error; GpuMemoryError if the GPU ran out of memory."""
        log_text = " ".join(self.errors).lower()
        if any(phrase in log_text for phrase in _MEMORY):
            free, total = free_memory()
            return GpuMemoryError(
                f"{what}: the GPU has not enough memory ({free / 1e9:.1f} of {total / 1e9:.1f} GB are free); close other "
                "programs that use it, or use a smaller size"
            )
        return ModelError(f"{what}: {self.errors[0] if self.errors else 'TensorRT gave no reason'}")
