"""Finished poses in the formats of other programs: NWB, SLEAP, COCO, OpenPose, Parquet.

`FormatSink` is the base class of their sinks, for formats of other packages, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlclive_formats.session.format_sink import FormatSink

__version__ = "0.1.0"

__all__ = ["FormatSink", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "FormatSink":
        return import_module("dlclive_formats.session.format_sink").FormatSink
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
