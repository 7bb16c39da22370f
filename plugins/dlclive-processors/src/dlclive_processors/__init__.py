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
    from dlclive_processors.deeplabcut_live.from_file import ProcessorFromFile
    from dlclive_processors.deeplabcut_live.jump_led import JumpLed
    from dlclive_processors.deeplabcut_live.kalman_filter_predictor import KalmanFilterPredictor
    from dlclive_processors.deeplabcut_live.lick_led import LickLed
    from dlclive_processors.deeplabcut_live.teensy_laser import TeensyLaser
    from dlclive_processors.kalman import KalmanPredictor
    from dlclive_processors.output.callable_output import CallableOutput
    from dlclive_processors.output.serial_output import LinkStatistics, SerialOutput
    from dlclive_processors.region import RegionTrigger
    from dlclive_processors.region_events import EventKind, RegionEvent
    from dlclive_processors.stimulate import Stimulate

__version__ = "0.1.0"

_CORE = ("Output", "Reason")
_HOMES = {
    "CallableOutput": "output.callable_output",
    "EventKind": "region_events",
    "JumpLed": "deeplabcut_live.jump_led",
    "KalmanFilterPredictor": "deeplabcut_live.kalman_filter_predictor",
    "KalmanPredictor": "kalman",
    "LickLed": "deeplabcut_live.lick_led",
    "LinkStatistics": "output.serial_output",
    "ProcessorFromFile": "deeplabcut_live.from_file",
    "RegionEvent": "region_events",
    "RegionTrigger": "region",
    "SerialOutput": "output.serial_output",
    "Stimulate": "stimulate",
    "TeensyLaser": "deeplabcut_live.teensy_laser",
}

__all__ = [
    "CallableOutput",
    "EventKind",
    "JumpLed",
    "KalmanFilterPredictor",
    "KalmanPredictor",
    "LickLed",
    "LinkStatistics",
    "Output",
    "ProcessorFromFile",
    "Reason",
    "RegionEvent",
    "RegionTrigger",
    "SerialOutput",
    "Stimulate",
    "TeensyLaser",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name in _CORE:
        return getattr(import_module("dlclive_core"), name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
