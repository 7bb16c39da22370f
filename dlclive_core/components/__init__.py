"""The base classes of what a plugin can provide."""

from dlclive_core.components.base import Component, Device, FrameSource, PoseModel, Processor, Sink
from dlclive_core.components.exporter import Exporter
from dlclive_core.components.latency_probe import LatencyProbe
from dlclive_core.components.output import DryOutput, Output, PartBuilder
from dlclive_core.components.table_format import TableFormat

__all__ = [
    "Component",
    "Device",
    "DryOutput",
    "Exporter",
    "FrameSource",
    "LatencyProbe",
    "Output",
    "PartBuilder",
    "PoseModel",
    "Processor",
    "Sink",
    "TableFormat",
]
