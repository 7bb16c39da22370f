"""The thread that blinks an LED at random moments, and collects what the device's stopwatch says."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass

from dlclive_core import DLCLiveError, Frame, LatencyTrial, OutputError
from dlclive_processors.led_spot import LEAST, Spot, SpotFinder
from dlclive_processors.output.probed_output import ProbedOutput, Probing
from dlclive_processors.output.protocol import CLOCK, Status

# All in seconds.
SETTLE = 0.15  # after the LED has changed, until a frame certainly shows it: cameras and streams deliver late
_AGAIN = (0.1, 0.3)  # until a LED that the device refused, because it was on too long before, is tried again
_LIT = 1.0  # within which the device must have switched the LED on
_DARK = 3.0  # within which the LED must look dark again after a trial
_PHASE = 5.0  # within which the frames of a phase must have come
_BLINKS = 6
_PHASE_FRAMES = 2
_TRIES = 50  # of a probe that the device refuses, because the LED was on too recently


@dataclass(frozen=True, slots=True)
class Sighting:
    """The frame in which the LED was seen to be on, and when the processor had seen it, in `time.perf_counter()`."""

    frame: int
    captured_at: float
    decided_at: float


class _Stopped(Exception):  # noqa: N818 - not an error
    """The session has ended."""


class LedTrials(threading.Thread):
    """First finds the LED, then runs the trials.

    Args:
        output: open; it switches the LED, too.
        goal: number of trials.
        interval: (shortest, longest) time in seconds between the end of a trial and the next LED. Its length is uniformly
            random, so that it falls on all phases of the camera's period.
        timeout: seconds after which an answer does not count.
        finder: of the LED.
        source: of random numbers.

    Attributes:
        spot: the LED in the picture; None until it is found.
        trials: those that are over.
        error: what ended the measurement early.
        finished: set at its end.
    """

    def __init__(
        self,
        output: ProbedOutput,
        goal: int,
        interval: tuple[float, float],
        timeout: float,
        finder: SpotFinder,
        source: random.Random,
    ) -> None:
        super().__init__(name="LED trials", daemon=True)
        self._output, self._goal, self._interval, self._timeout = output, goal, interval, timeout
        self._finder, self._source = finder, source
        self._collecting = False
        self._stop_requested = threading.Event()
        self._dark = 0
        self._sighting: Sighting | None = None
        self._rises, self._lit_at = 0, 0.0
        self.spot: Spot | None = None
        self.trials: list[LatencyTrial] = []
        self.error: DLCLiveError | None = None
        self.finished = threading.Event()

    @property
    def false_answers(self) -> int:
        """How often the output was switched on without being the answer of a trial: without the light, or too late."""
        return max(0, self._rises - sum(trial.latency is not None for trial in self.trials))

    def see(self, frame: Frame) -> bool:
        """Look at a frame; returns whether the LED is on. Called by the session's thread."""
        spot = self.spot
        if spot is None:
            if self._collecting:
                self._finder.add(frame.image)
            return False
        is_lit = spot.is_lit(frame.image)
        self._dark = 0 if is_lit else self._dark + 1
        return is_lit

    def decided(self, frame: Frame) -> None:
        """The processor answers this frame, the first that shows the LED."""
        self._sighting = Sighting(frame.index, frame.captured_at, time.perf_counter())

    def end(self) -> None:
        """Stop, without an error."""
        self._stop_requested.set()
        if self.is_alive():
            self.join(5)

    def run(self) -> None:
        """Find the LED and run the trials."""
        try:
            self.spot = self._find()
            for number in range(1, self._goal + 1):
                self.trials.append(self._trial(number))
            self._await_dark()
            self._check_answers()
        except _Stopped:
            pass
        except DLCLiveError as error:
            self.error = error
        except Exception as error:  # a measurement that failed must not look complete
            self.error = OutputError(f"the measurement failed: {type(error).__name__}: {' '.join(str(error).split())}")
        finally:
            self.finished.set()

    # ---- the LED

    def _find(self) -> Spot:
        self._phase()
        for _ in range(_BLINKS):
            self._switch_on_led()
            self._phase()
            self._await_led_off()
            self._phase()
        spot = self._finder.spot()
        if isinstance(spot, Spot):
            return spot
        raise OutputError(
            f"the LED was not seen: where it blinked, brightness changed by {spot:.0f} of 255 grey levels, and {LEAST:g} are "
            "needed; bring it into the camera's view, shade it from other light, or say where it is: --led X,Y,SIZE"
        )

    def _phase(self) -> None:
        """Collect the frames of a dark or lit phase, once its light has certainly arrived."""
        self._sleep(SETTLE)
        self._finder.begin()
        self._collecting = True
        until = time.perf_counter() + _PHASE
        while self._finder.frames < _PHASE_FRAMES:
            if time.perf_counter() > until:
                raise OutputError(f"fewer than {_PHASE_FRAMES} frames in {_PHASE:g} s: too few to see an LED")
            self._sleep(0.005)
        self._collecting = False

    def _switch_on_led(self) -> Probing:
        """Raises OutputError if the device does not."""
        status = Status.DONE
        for _ in range(_TRIES):
            number = self._output.probe()
            until = time.perf_counter() + _LIT
            while time.perf_counter() < until:
                probing = self._output.probing()
                if probing.number == number and (probing.lit or probing.refused):
                    break
                self._wait()
            else:
                continue
            if probing.lit:
                self._lit_at = time.perf_counter()
                return probing
            status = probing.status
            # At random again: the refusal was heard with a frame, and what follows it by a fixed time has the camera's phase.
            self._sleep(self._source.uniform(*_AGAIN))
        raise OutputError(f"the device does not switch the LED on: {status.name.lower().replace('_', ' ')}")

    def _await_led_off(self) -> None:
        """Until the pulse of the LED is over; the session learned of its begin only after it."""
        self._sleep(max(0.0, self._lit_at + self._output.led_width - time.perf_counter()))

    # ---- a trial

    def _trial(self, number: int) -> LatencyTrial:
        self._await_dark()
        interval = self._source.uniform(*self._interval)
        self._sleep(interval)
        self._sighting = None
        probing = self._switch_on_led()
        until = time.perf_counter() + self._timeout
        while not probing.answered and time.perf_counter() < until:
            self._wait()
            probing = self._output.probing()
        latency = (probing.answered_at - probing.lit_at) % CLOCK / 1e6
        in_time = probing.answered and latency <= self._timeout
        self._await_led_off()
        sighting = self._sighting
        return LatencyTrial(
            number=number,
            interval=interval,
            lit_at=probing.lit_at / 1e6,
            latency=latency if in_time else None,
            frame=sighting.frame if sighting else None,
            age=sighting.decided_at - sighting.captured_at if sighting else math.nan,
        )

    def _await_dark(self) -> None:
        """Until the LED looks dark and the output is off, so that the next light is a change."""
        until = time.perf_counter() + _DARK
        while self._dark < 2 or self._output.is_on:
            if time.perf_counter() > until:
                raise OutputError(
                    "the LED looks on although it is off; keep other light and the animal away from it, or say where it "
                    "is: --led X,Y,SIZE"
                )
            self._sleep(0.005)
        probing = self._output.probing()
        if probing.lit:
            self._rises = probing.rises

    def _check_answers(self) -> None:
        if self._goal and all(trial.latency is None for trial in self.trials):
            raise OutputError(
                f"the output answered none of {self._goal} LEDs within {self._timeout:g} s; check that frames come, and that "
                "no processor before it holds them up, or give it longer: --timeout"
            )

    def _wait(self) -> None:
        if self._stop_requested.is_set():
            raise _Stopped
        self._output.wait_probing(0.02)

    def _sleep(self, seconds: float) -> None:
        if self._stop_requested.wait(seconds):
            raise _Stopped
