"""Processors for dlclive: Kalman prediction, region triggers, fail-safe outputs, latency from glass to output.

Python code imports them from here; the command line finds them by name ("kalman", "led", "region", "stimulate") through the
catalogue. Names are loaded on first use, because the heartbeat process of an output imports this package and must stay
small.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlclive_processors.kalman import KalmanPredictor
    from dlclive_processors.led_latency import LedLatency
    from dlclive_processors.output.base import CallableOutput, Output
    from dlclive_processors.output.lease import Reason
    from dlclive_processors.output.serial_output import LinkStatistics, SerialOutput
    from dlclive_processors.region import RegionTrigger
    from dlclive_processors.region_events import EventKind, RegionEvent
    from dlclive_processors.stimulate import Stimulate

__version__ = "0.1.0"

_HOMES = {
    "CallableOutput": "output.base",
    "EventKind": "region_events",
    "KalmanPredictor": "kalman",
    "LedLatency": "led_latency",
    "LinkStatistics": "output.serial_output",
    "Output": "output.base",
    "Reason": "output.lease",
    "RegionEvent": "region_events",
    "RegionTrigger": "region",
    "SerialOutput": "output.serial_output",
    "Stimulate": "stimulate",
}

__all__ = [
    "CallableOutput",
    "EventKind",
    "KalmanPredictor",
    "LedLatency",
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
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
