"""The base class of processors that measure the closed loop."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Sequence

from dlclive_core.components.base import Processor
from dlclive_core.data.latency_trial import LatencyTrial
from dlclive_core.errors import DLCLiveError


class LatencyProbe(Processor):
    """A processor that measures the time from a light in the camera's view to an output, for `dlclive latency`.

    Attributes:
        finished: set when the measurement is over. Any thread may wait for it.
    """

    finished: threading.Event

    @property
    @abstractmethod
    def goal(self) -> int:
        """Number of trials to do."""

    @property
    @abstractmethod
    def trials(self) -> Sequence[LatencyTrial]:
        """The trials that are over, in order. Any thread may read it."""

    @property
    @abstractmethod
    def false_answers(self) -> int:
        """How often the output was switched on without a light, or too late for one."""

    @property
    @abstractmethod
    def round_trip(self) -> float:
        """Median time from a message to the device to its answer, in seconds; 0 if unknown."""

    @property
    @abstractmethod
    def error(self) -> DLCLiveError | None:
        """What ended the measurement early."""
