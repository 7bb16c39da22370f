"""The base class of processors: `process(pose, **kwargs)` on an array, and `save(file)`."""

from dlclive_processors import ArrayProcessorBase as Processor

__all__ = ["Processor"]
