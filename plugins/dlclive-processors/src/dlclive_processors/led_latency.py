"""The processor that measures the latency of a session, from glass to output, on the device's own clock."""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from dlclive_core import (
    DLCLiveError,
    Frame,
    LatencyProbe,
    LatencyTrial,
    Pose,
    Reason,
    RunInfo,
    UsageError,
    check_number,
)
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.led_spot import SpotFinder
from dlclive_processors.led_trials import LedTrials
from dlclive_processors.output.probed_output import ProbedOutput
from dlclive_processors.output.serial_output import LinkStatistics

SIMULATE = "simulate"
"""Instead of a port: a simulated device."""
_SETTLED = 0.25  # seconds of the LED's pulse besides four frames: see `LedTrials`
_LONGEST_LED = 1.0  # seconds
_USUAL_RATE = 30.0  # frames per second of a source that declares none


class LedLatency(LatencyProbe):
    """Measures the time from an LED in the camera's view to the output, both switched and timed by one device.

    Put it last: the time that the processors before it take is part of the latency. It finds the LED by blinking it, then
    switches it on at random moments; at the first frame that shows it, it switches the output on. The device reports the time
    between both pins, by its own clock. The pose passes through unchanged.

    Args:
        port: of a device with dlclive's firmware, or "simulate".
        led: [x, y, size] in px of the full frame: the square in which the LED is. By default it is found.
        trials: how often to measure.
        channel: of the output. Disconnect from it what must not be switched by a measurement.
        led_channel: of the LED.
        interval: [shortest, longest] seconds between a trial and the next; its length is uniformly random.
        timeout: seconds after which an answer does not count.
        delay: seconds to wait before each answer, to check the measurement: it must show them.
        light: with "simulate", the file that tells a rendered source whether the LED is on (`mouse:light=FILE`).
        patience: seconds to wait for the device; a board may restart when its port is opened.
        seed: of the random intervals.

    Raises:
        UsageError: invalid options, a recording, or a camera too slow for an LED that may be on for a second.
        OutputError: the device cannot be used, the LED is not seen, or the output never answers.
    """

    def __init__(
        self,
        port: str,
        *,
        led: Sequence[int] | None = None,
        trials: int = 100,
        channel: int = 0,
        led_channel: int = 1,
        interval: Sequence[float] = (0.3, 0.8),
        timeout: float = 1.0,
        delay: float = 0.0,
        light: Path | None = None,
        patience: float = 3.0,
        seed: int | None = None,
    ) -> None:
        self._port, self._light = port, light
        self._square = _square(led)
        self._goal = int(check_number("trials", trials, least=1, most=1_000_000))
        self._channel, self._led_channel = channel, led_channel
        if len(interval) != 2 or not 0 < interval[0] < interval[1] <= 60:
            raise UsageError(f"interval is {list(interval)}; give [shortest, longest], in seconds from 0 to 60")
        self._interval = (float(interval[0]), float(interval[1]))
        self._timeout = check_number("timeout", timeout, above=0, most=4)
        self._delay = check_number("delay", delay, least=0, most=1)
        self._patience = patience
        self._random = random.Random(seed)  # noqa: S311 - moments, not secrets
        self._stack = ExitStack()
        self._output: ProbedOutput | None = None
        self._trials: LedTrials | None = None
        self._was_lit = False
        self._clock = FrameClock()
        self._link = LinkStatistics()
        self.finished = threading.Event()
        if led_channel == channel:
            raise UsageError(f"the LED and the output are both channel {channel}; connect them to two")

    @property
    def goal(self) -> int:
        return self._goal

    @property
    def trials(self) -> tuple[LatencyTrial, ...]:
        return tuple(self._trials.trials) if self._trials is not None else ()

    @property
    def false_answers(self) -> int:
        return self._trials.false_answers if self._trials is not None else 0

    @property
    def error(self) -> DLCLiveError | None:
        return self._trials.error if self._trials is not None else None

    @property
    def round_trip(self) -> float:
        return self._link.round_trip

    @property
    def statistics(self) -> Mapping[str, float]:
        """Number of trials, answered and missed, of false answers; where the LED is; the line's round trip in seconds."""
        answered = sum(trial.latency is not None for trial in self.trials)
        counts = {"trials": len(self.trials), "answered": answered, "false": self.false_answers}
        spot = self._trials.spot if self._trials is not None else None
        if spot is not None:
            counts |= {"led_x": spot.x, "led_y": spot.y, "led_size": spot.size}
        return {**counts, "trips": self._link.trips, "round_trip": self._link.round_trip}

    def open(self, run: RunInfo) -> None:
        """Open the port, and begin."""
        if not run.is_live:
            raise UsageError(
                "the LED is to be seen by a camera, and this source is a recording; pass --source camera:0 or --simulate"
            )
        rate = run.fps or _USUAL_RATE
        width = _SETTLED + 4 / rate
        if width > _LONGEST_LED:
            raise UsageError(
                f"the camera delivers {rate:g} frames/s, and {4 / (_LONGEST_LED - _SETTLED):.2g} are needed to see an LED that "
                "may be on for a second; set a higher rate"
            )
        self.close()
        self._clock, self._was_lit = FrameClock(run), False
        self.finished.clear()
        port = self._port
        if port == SIMULATE:
            port = self._simulated()
        self._output = ProbedOutput(
            port=port,
            channel=self._channel,
            led_channel=self._led_channel,
            led_width=width,
            width=width,
            lifespan=min(1.0, max(0.2, 4 / rate)),
            patience=self._patience,
        )
        self._output.open(run.started_clock)
        finder = SpotFinder(self._square)
        self._trials = LedTrials(self._output, self._goal, self._interval, self._timeout, finder, self._random)
        self._trials.finished = self.finished
        self._trials.start()

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Look at the LED, and answer. Returns the pose unchanged."""
        trials, output = self._trials, self._output
        if trials is None or output is None:
            raise UsageError("the LED's device is not open; call open() before process(), or run it in a Session")
        if trials.error is not None:
            raise trials.error
        is_lit = trials.see(frame)
        if is_lit and not self._was_lit:
            if self._delay:
                time.sleep(self._delay)
            trials.decided(frame)
        self._was_lit = is_lit
        output.renew(is_lit, Reason.CONDITION, frame.index, self._clock.age(frame))
        self._link = output.statistics
        return pose

    def _simulated(self) -> str:
        """Start a simulated device, which ends with `close`; returns its port."""
        if sys.platform == "win32":
            raise UsageError("the simulated device needs Linux or macOS: Windows has no pseudo-terminals; use a board")
        else:
            from dlclive_processors.simulator import Simulator

            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dlclive-led-")))
            options = [] if self._light is None else [f"--light={self._light}", f"--light-channel={self._led_channel}"]
            return self._stack.enter_context(Simulator(folder, *options)).port

    def close(self) -> None:
        """Switch off."""
        try:
            if self._trials is not None:
                self._trials.end()
            if self._output is not None:
                self._output.close()
        finally:
            self._stack.close()


def _square(led: Sequence[int] | None) -> tuple[int, int, int] | None:
    if led is None:
        return None
    if len(led) != 3 or not all(isinstance(number, int) for number in led) or min(led[:2]) < 0 or led[2] < 1:
        raise UsageError(f"led is {list(led)}; give [x, y, size] in pixels of the frame")
    return led[0], led[1], led[2]
