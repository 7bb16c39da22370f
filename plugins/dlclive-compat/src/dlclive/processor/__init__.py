"""Processors: the base class, and the Kalman filter."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlclive.processor.kalmanfilter import KalmanFilterPredictor
    from dlclive.processor.processor import Processor

__all__ = ["KalmanFilterPredictor", "Processor"]

_HOMES = {"KalmanFilterPredictor": "kalmanfilter", "Processor": "processor"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
