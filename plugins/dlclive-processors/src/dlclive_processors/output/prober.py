"""Asks the device to switch an LED on, and to time the output that answers.

Standard library only: the heartbeat process imports this.
"""

from __future__ import annotations

from collections.abc import Callable

from dlclive_processors.output.device_link import DeviceLink, SentMessage
from dlclive_processors.output.protocol import Answer, Status, Type

# All in seconds.
_RESEND = 0.01
_ACCEPT = 0.1  # a PROBE without an answer is given up
_ASK = 0.01  # between two requests for the times
_PATIENCE = 5.0  # after a PROBE, for which its times are asked for


class Prober:
    """Sends PROBE, then TIMES until the output has answered.

    Args:
        link: to the device.
        values: the packed parameters of PROBE.
        report: called with the number of the probe and (1 lit | 2 answered | 4 refused, time lit, time answered, rises,
            status), whenever one of these has changed.
    """

    def __init__(self, link: DeviceLink, values: bytes, report: Callable[[int, tuple[int, ...]], None]) -> None:
        self._link, self._values, self._report = link, values, report
        self._number = 0
        self._sent: SentMessage | None = None  # a PROBE that awaits its answer
        self._until = self._at = 0.0
        self._reported: tuple[int, ...] = ()

    def begin(self, number: int, now: float) -> None:
        """Switch the LED on, for probe `number`."""
        self._number, self._reported = number, ()
        self._sent = self._link.send(Type.PROBE, self._values)
        self._until, self._at = now + _PATIENCE, now + _RESEND

    def due(self, now: float) -> float:
        """When `step` has to be called next."""
        return self._at if now < self._until else now + 1

    def step(self, now: float) -> None:
        """Send what is due."""
        if now >= self._until or now < self._at:
            return
        if self._sent is None:
            self._link.send(Type.TIMES)
            self._at = now + _ASK
        elif now - self._sent.at > _ACCEPT:
            self._refuse(0)
        else:
            self._link.send(Type.PROBE, self._values, again=self._sent.sequence)
            self._at = now + _RESEND

    def hear(self, sent: SentMessage, answer: Answer) -> None:
        """Handle the answer to a PROBE or TIMES."""
        if self._sent is not None:
            if sent.sequence == self._sent.sequence and answer.status == Status.DONE:
                self._sent = None
            elif sent.sequence == self._sent.sequence:
                self._refuse(answer.status)
        elif answer.times is not None:
            times = answer.times
            state = (times.lit | times.answered << 1, times.lit_at, times.answered_at, times.rises, 0)
            if state != self._reported:
                self._reported = state
                self._report(self._number, state)

    def _refuse(self, status: int) -> None:
        self._sent, self._until = None, 0.0
        self._report(self._number, (4, 0, 0, 0, status))
