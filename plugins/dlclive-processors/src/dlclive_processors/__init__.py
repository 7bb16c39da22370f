"""Processors for dlclive: filters, Kalman prediction, tracking, triggers, fail-safe outputs.

Python code imports them from here; the command line finds them by name ("kalman", "speed", "stimulate") through the
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
    from dlclive_processors.deeplabcut_live.processor import ArrayProcessorBase
    from dlclive_processors.deeplabcut_live.teensy_laser import TeensyLaser
    from dlclive_processors.filters.exponential import Exponential
    from dlclive_processors.filters.kalman import KalmanPredictor
    from dlclive_processors.filters.median import Median
    from dlclive_processors.filters.one_euro import OneEuro
    from dlclive_processors.filters.outliers import Outliers
    from dlclive_processors.led_latency import LedLatency
    from dlclive_processors.output.callable_output import CallableOutput
    from dlclive_processors.output.serial_output import LinkStatistics, SerialOutput
    from dlclive_processors.tracking.identity_tracker import IdentityTracker
    from dlclive_processors.triggers.angle import AngleTrigger
    from dlclive_processors.triggers.classifier import ClassifierTrigger
    from dlclive_processors.triggers.combinable import Combinable
    from dlclive_processors.triggers.combinations import AllTrigger, AnyTrigger, NotTrigger
    from dlclive_processors.triggers.condition import About, Condition, Place, Reading, Subject
    from dlclive_processors.triggers.distance import DistanceTrigger
    from dlclive_processors.triggers.freezing import FreezingTrigger
    from dlclive_processors.triggers.heading import HeadingTrigger
    from dlclive_processors.triggers.region import RegionTrigger
    from dlclive_processors.triggers.region_events import EventKind, RegionEvent
    from dlclive_processors.triggers.rule import RuleTrigger
    from dlclive_processors.triggers.scene import Scene
    from dlclive_processors.triggers.sequence import SequenceTrigger
    from dlclive_processors.triggers.shared_options import TriggerOptions
    from dlclive_processors.triggers.speed import SpeedTrigger
    from dlclive_processors.triggers.stimulate import Stimulate
    from dlclive_processors.triggers.trigger import Trigger

__version__ = "0.1.0"

_CORE = ("Output", "Reason")
_HOMES = {
    "About": "triggers.condition",
    "AllTrigger": "triggers.combinations",
    "AngleTrigger": "triggers.angle",
    "AnyTrigger": "triggers.combinations",
    "ArrayProcessorBase": "deeplabcut_live.processor",
    "CallableOutput": "output.callable_output",
    "ClassifierTrigger": "triggers.classifier",
    "Combinable": "triggers.combinable",
    "Condition": "triggers.condition",
    "DistanceTrigger": "triggers.distance",
    "EventKind": "triggers.region_events",
    "Exponential": "filters.exponential",
    "FreezingTrigger": "triggers.freezing",
    "HeadingTrigger": "triggers.heading",
    "IdentityTracker": "tracking.identity_tracker",
    "JumpLed": "deeplabcut_live.jump_led",
    "KalmanFilterPredictor": "deeplabcut_live.kalman_filter_predictor",
    "KalmanPredictor": "filters.kalman",
    "LedLatency": "led_latency",
    "LickLed": "deeplabcut_live.lick_led",
    "LinkStatistics": "output.serial_output",
    "Median": "filters.median",
    "NotTrigger": "triggers.combinations",
    "OneEuro": "filters.one_euro",
    "Outliers": "filters.outliers",
    "Place": "triggers.condition",
    "ProcessorFromFile": "deeplabcut_live.from_file",
    "Reading": "triggers.condition",
    "RegionEvent": "triggers.region_events",
    "RegionTrigger": "triggers.region",
    "RuleTrigger": "triggers.rule",
    "Scene": "triggers.scene",
    "SequenceTrigger": "triggers.sequence",
    "SerialOutput": "output.serial_output",
    "SpeedTrigger": "triggers.speed",
    "Stimulate": "triggers.stimulate",
    "Subject": "triggers.condition",
    "TeensyLaser": "deeplabcut_live.teensy_laser",
    "Trigger": "triggers.trigger",
    "TriggerOptions": "triggers.shared_options",
}

__all__ = [
    "About",
    "AllTrigger",
    "AngleTrigger",
    "AnyTrigger",
    "ArrayProcessorBase",
    "CallableOutput",
    "ClassifierTrigger",
    "Combinable",
    "Condition",
    "DistanceTrigger",
    "EventKind",
    "Exponential",
    "FreezingTrigger",
    "HeadingTrigger",
    "IdentityTracker",
    "JumpLed",
    "KalmanFilterPredictor",
    "KalmanPredictor",
    "LedLatency",
    "LickLed",
    "LinkStatistics",
    "Median",
    "NotTrigger",
    "OneEuro",
    "Outliers",
    "Output",
    "Place",
    "ProcessorFromFile",
    "Reading",
    "Reason",
    "RegionEvent",
    "RegionTrigger",
    "RuleTrigger",
    "Scene",
    "SequenceTrigger",
    "SerialOutput",
    "SpeedTrigger",
    "Stimulate",
    "Subject",
    "TeensyLaser",
    "Trigger",
    "TriggerOptions",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name in _CORE:
        return getattr(import_module("dlclive_core"), name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
