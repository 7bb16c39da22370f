"""The output of a trigger, and whether it is armed."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from dlclive_core import Output, Reason, RunInfo, TriggerEvent


class Switch:
    """Sets an output, if there is one, to whether the trigger is active; and holds it off while it is disarmed.

    `arm` and `disarm` may be called by any thread, the rest by the session's.

    Args:
        output: what is switched; None: nothing.
        armed: at the beginning.

    Attributes:
        lock: of a decision.
    """

    def __init__(self, output: Output | None, armed: bool) -> None:
        self.output = self._driven = output
        self._armed = armed
        self._was_disarmed = False
        self._requested = self._is_spent = False
        self.lock = threading.RLock()  # an output may disarm the trigger while it is told something

    @property
    def may_be_on(self) -> bool:
        """Whether it is armed, and was since the last decision."""
        return self._armed and not self._was_disarmed

    def counts(self) -> Mapping[str, float]:
        """The output's counters."""
        return {} if self._driven is None else self._driven.counts()

    def arm(self) -> None:
        """Allow switching on: from the next decision, or from the one after it if `disarm` was called since the last.

        Thread-safe.
        """
        self._armed = True

    def disarm(self) -> None:
        """Switch off now. Thread-safe."""
        with self.lock:  # a decision made before must not take effect after this
            self._armed = False
            self._was_disarmed = True
            if self._driven is not None:
                self._driven.off(Reason.DISARMED)

    def open(self, run: RunInfo) -> None:
        """Open the output, which is off; in a replay, what takes its place."""
        self._was_disarmed = self._requested = self._is_spent = False
        if self.output is not None:
            self._driven = self.output.rehearsal(run.clock) if run.is_replay else self.output
            self._driven.open(run.started_clock)

    def notify(self, event: TriggerEvent) -> None:
        """Tell the output of an event."""
        if self._driven is not None:
            self._driven.notify(event)

    def take_may_be_on(self) -> bool:
        """As `may_be_on`; what was disarmed in between ends with this decision. Call it, and `renew`, with `lock` held."""
        may_be_on = self.may_be_on
        self._was_disarmed = False
        return may_be_on

    def renew(self, active: bool, reason: Reason, frame: int, age: float) -> None:
        """Renew the output's lease. Once it has switched itself off, it stays off until the trigger has been inactive."""
        if self._driven is None:
            return
        self._is_spent = active and (self._is_spent or (self._requested and not self._driven.is_on))
        self._requested = active and not self._is_spent
        self._driven.renew(self._requested, reason, frame, age)

    def close(self) -> None:
        """Switch off."""
        if self._driven is not None:
            self._driven.close()
