"""What a trigger switches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from dlclive_processors.output.lease import Reason


class Output(ABC):
    """Something that is on or off. Used by the session's thread, except `off`, which any thread may call."""

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """Whether it is on, as far as is known: not any more when its time is over or a watchdog switched it off."""

    def counts(self) -> Mapping[str, float]:
        """What it counted and measured since `open`, for the report."""
        return {}

    def open(self, origin: float) -> None:
        """Begin; it is off. `origin` is the `time.perf_counter()` of the run's time zero."""

    @abstractmethod
    def renew(self, want: bool, reason: Reason, frame: int, age: float) -> None:
        """Say at every pose whether the output is to be on. An output that hears nothing for a while is switched off.

        Args:
            want: on or off.
            reason: why, for the file of events.
            frame, age: the number of the frame that this was decided on, and its age in seconds.

        Raises:
            DLCLiveError: the output cannot be trusted any more; the session must end.
        """

    @abstractmethod
    def off(self, reason: Reason) -> None:
        """Be off, at once."""

    def close(self) -> None:
        """Be off, and give back what was opened. Safe to call twice."""


class CallableOutput(Output):
    """Calls a function with True and False.

    Nothing switches it off when Python dies or hangs: for a lamp on the screen, not for a laser.

    Args:
        switch: called on the latency path whenever the state changes; what it raises ends the session.
    """

    def __init__(self, switch: Callable[[bool], None]) -> None:
        self._switch = switch
        self._is_on = False

    @property
    def is_on(self) -> bool:
        return self._is_on

    def renew(self, want: bool, reason: Reason, frame: int, age: float) -> None:
        if want != self._is_on:
            self._is_on = want
            self._switch(want)

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)

    def close(self) -> None:
        self.off(Reason.END)
