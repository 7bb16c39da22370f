"""The interface of outputs that a processor switches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from dlclive_processors.output.lease import Reason


class Output(ABC):
    """An output that is on or off. Used by the session's thread, except `off`, which any thread may call."""

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """Whether it is on, as far as known: False once its duration is over or a watchdog has switched it off."""

    def counts(self) -> Mapping[str, float]:
        """Counters and measurements since `open`, for the report."""
        return {}

    def open(self, origin: float) -> None:
        """Open the output, which is off. `origin` is the `time.perf_counter()` of the run's time zero."""

    @abstractmethod
    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        """Set at every pose whether the output is to be on. An output that is not renewed in time is switched off.

        Args:
            on: the requested state.
            reason: of the request, for the events file.
            frame, age: number and age, in seconds, of the frame behind the decision.

        Raises:
            DLCLiveError: the output can no longer be trusted; the session must end.
        """

    @abstractmethod
    def off(self, reason: Reason) -> None:
        """Switch off at once."""

    def close(self) -> None:
        """Switch off and release all resources. Safe to call twice."""


class CallableOutput(Output):
    """Calls a function with True or False.

    Nothing switches it off if Python dies or hangs: use it for a lamp on the screen, not for a laser.

    Args:
        switch: called on the latency path whenever the state changes; an exception ends the session.
    """

    def __init__(self, switch: Callable[[bool], None]) -> None:
        self._switch = switch
        self._is_on = False

    @property
    def is_on(self) -> bool:
        return self._is_on

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        if on != self._is_on:
            self._is_on = on
            self._switch(on)

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)

    def close(self) -> None:
        self.off(Reason.END)
