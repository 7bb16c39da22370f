"""Processors for dlclive: Kalman prediction, region triggers.

From Python they are imported from here; the command line finds them by name ("kalman", "region") through the catalogue.
"""

from dlclive_processors.events import EventKind, RegionEvent
from dlclive_processors.kalman import KalmanPredictor
from dlclive_processors.region import RegionTrigger

__version__ = "0.1.0"

__all__ = ["EventKind", "KalmanPredictor", "RegionEvent", "RegionTrigger", "__version__"]
