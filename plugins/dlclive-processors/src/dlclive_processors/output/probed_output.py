"""A serial output whose device also switches an LED on, and times the output's answer to it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from dlclive_core import OutputError, Reason, UsageError, check_number
from dlclive_processors.output.lease import Lease, Report, ReportKind, Request
from dlclive_processors.output.protocol import Limits, Status
from dlclive_processors.output.serial_output import SerialOutput


@dataclass(frozen=True, slots=True)
class Probing:
    """What is known about one probe. Times are the device's clock, in microseconds modulo 2^32.

    Attributes:
        number: of the probe, from 1.
        refused: the device did not switch the LED on; `status` says why, if it answered.
        rises: how often the output was switched on in total, modulo 65,536.
    """

    number: int = 0
    lit: bool = False
    answered: bool = False
    refused: bool = False
    lit_at: int = 0
    answered_at: int = 0
    rises: int = 0
    status: Status = Status.DONE


class ProbedOutput(SerialOutput):
    """As `SerialOutput`, with an LED on another channel.

    Args:
        led_channel: of the LED.
        led_width: for how long it is on, in seconds.
        **options: of `SerialOutput`.
    """

    def __init__(self, *, led_channel: int = 1, led_width: float = 0.2, **options: Any) -> None:
        super().__init__(**options)
        self._led = int(check_number("led_channel", led_channel, least=0, most=7))
        self._led_width = check_number("led_width", led_width, least=0.001, most=10)
        if self._led == self._channel:
            raise UsageError(f"the LED and the output are both channel {self._led}; connect them to two")
        self._number = 0
        self._probing = Probing()
        self._changed = threading.Condition()

    @property
    def led_width(self) -> float:
        """For how long the LED is on, in seconds."""
        return self._led_width

    def probe(self) -> int:
        """Switch the LED on; returns the number of the probe. `wait_probing` tells what came of it. Thread-safe.

        Raises:
            OutputError: the output is not open, or can no longer be trusted.
        """
        process = self._process
        if process is None:
            raise OutputError(f"the output on {self.port} is not open")
        with self._lock:
            self._number += 1
            now = time.perf_counter()
            lease = Lease(now, now, self._number, Request.PROBE, Reason.CONDITION, -1, 0.0)
            if not process.write(lease, urgent=True):
                raise OutputError(f"the heartbeat process of {self.port} does not take the probe")
        return self._number

    def probing(self) -> Probing:
        """What is known about the newest probe. It is updated by `renew`, so by every pose."""
        return self._probing

    def wait_probing(self, timeout: float) -> None:
        """Wait until more is known about a probe."""
        with self._changed:
            self._changed.wait(timeout)

    def _arguments(self, origin: float) -> list[str]:
        return [*super()._arguments(origin), f"--led={self._led}", f"--led-width={1e6 * self._led_width:.0f}"]

    def _check(self, limits: Limits) -> None:
        super()._check(limits)
        if self._led >= limits.channels:
            raise UsageError(
                f"the device on {self.port} has {limits.channels} channels, counted from 0; the LED's is {self._led}: add "
                "its pin to PINS in the sketch"
            )
        if 1e6 * self._led_width > limits.pulse_us:
            raise UsageError(
                f"the device on {self.port} allows pulses of at most {limits.pulse_us / 1e6:g} s; the LED has to be on for "
                f"{self._led_width:g} s: a faster camera needs less"
            )

    def _hear(self, report: Report) -> None:
        super()._hear(report)
        if report.kind == ReportKind.PROBED:
            state, lit_at, answered_at, rises, status = report.numbers
            with self._changed:
                self._probing = Probing(
                    report.command,
                    bool(state & 1),
                    bool(state & 2),
                    bool(state & 4),
                    lit_at,
                    answered_at,
                    rises,
                    Status(status),
                )
                self._changed.notify_all()
