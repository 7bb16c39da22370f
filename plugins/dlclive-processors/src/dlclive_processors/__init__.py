"""Processors for dlclive: Kalman prediction, region triggers, fail-safe outputs.

Python code imports them from here; the command line finds them by name ("kalman", "region", "stimulate") through the
catalogue. Names are loaded on first use, because the heartbeat process of an output imports this package and must stay
small.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlclive_core import Output, Reason
    from dlclive_processors.kalman import KalmanPredictor
    from dlclive_processors.output.callable_output import CallableOutput
    from dlclive_processors.output.serial_output import LinkStatistics, SerialOutput
    from dlclive_processors.triggers.region import RegionTrigger
    from dlclive_processors.triggers.region_events import EventKind, RegionEvent
    from dlclive_processors.triggers.stimulate import Stimulate

__version__ = "0.1.0"

_CORE = ("Output", "Reason")
_HOMES = {
    "CallableOutput": "output.callable_output",
    "EventKind": "triggers.region_events",
    "KalmanPredictor": "kalman",
    "LinkStatistics": "output.serial_output",
    "RegionEvent": "triggers.region_events",
    "RegionTrigger": "triggers.region",
    "SerialOutput": "output.serial_output",
    "Stimulate": "triggers.stimulate",
}

__all__ = [
    "CallableOutput",
    "EventKind",
    "KalmanPredictor",
    "LinkStatistics",
    "Output",
    "Reason",
    "RegionEvent",
    "RegionTrigger",
    "SerialOutput",
    "Stimulate",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name in _CORE:
        return getattr(import_module("dlclive_core"), name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
