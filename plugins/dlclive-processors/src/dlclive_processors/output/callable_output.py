"""An output that calls a function."""

from __future__ import annotations

from collections.abc import Callable

from dlclive_core import Output, Reason


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
            self._is_on = True  # until it is off: if `switch` raises, the next call tries again
            self._switch(on)
            self._is_on = on

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)

    def close(self) -> None:
        self.off(Reason.END)
