"""When a frame of a live source was taken, though it may have waited on its way."""

from __future__ import annotations

import math
from dataclasses import replace

from dlclive_core.data.clock_rate import ClockRate
from dlclive_core.data.frame import Frame

_SLEW = 0.005  # seconds per second by which the two clocks may drift apart
_SET_BACK = 1.0  # seconds; frames out of order go back by less


class CaptureTime:
    """Corrects `captured_at` of frames with a `device_time`.

    A network that stands still and then delivers what waited makes old frames look new. The camera's clock shows it:
    `captured_at - device_time` is the way of a frame, and a frame whose way is longer than the shortest one waited for the
    difference. The shortest way itself cannot be known, and a camera's clock that does not count seconds is not used.

    Attributes:
        rate: of the camera's clock.
    """

    def __init__(self) -> None:
        self.rate = ClockRate()
        self._shortest = math.inf
        self._last: tuple[float, float] | None = None

    def corrected(self, frame: Frame) -> Frame:
        """The frame, with the time at which it would have come by the shortest way."""
        host, device = frame.captured_at, frame.device_time
        if device is None or not (math.isfinite(host) and math.isfinite(device)):
            return frame
        if self._last is None or device < self._last[1] - _SET_BACK or host < self._last[0]:
            self.rate = ClockRate()
            self._shortest, self._last = math.inf, (host, device)
        if device >= self._last[1]:
            self.rate.add(host, device)
        way, right = host - device, self.rate.is_right
        # Clocks drift apart, and the way seems to grow; by more than that, it does grow.
        drift = _SLEW + (abs(1 - self.rate.rate) if right and self.rate.rate is not None else 0.0)
        self._shortest = way if right is False else min(way, self._shortest + drift * (host - self._last[0]))
        self._last = (host, max(device, self._last[1]))
        captured_at = device + self._shortest
        return replace(frame, captured_at=captured_at) if right and captured_at < host else frame
