"""The capture time of a live source's frame, corrected for delays in transit."""

from __future__ import annotations

import math
from dataclasses import replace

from dlclive_core.data.clock_rate import ClockRate
from dlclive_core.data.frame import Frame

_SLEW = 0.005  # seconds per second; the largest drift between the two clocks
_SET_BACK = 1.0  # seconds; frames out of order go back less


class CaptureTime:
    """Corrects `captured_at` of frames with a `device_time`.

    When a network stalls and then delivers its backlog, old frames look new. The camera's clock shows the delay:
    `captured_at - device_time` is a frame's transit time plus a constant, and the excess over the smallest value is the time
    that the frame waited. The shortest transit time itself remains unknown. A camera's clock that does not count seconds is
    ignored.

    Attributes:
        rate: the rate of the camera's clock.
    """

    def __init__(self) -> None:
        self.rate = ClockRate()
        self._shortest = math.inf
        self._last: tuple[float, float] | None = None

    def corrected(self, frame: Frame) -> Frame:
        """The frame with the arrival time that the shortest transit would have given it."""
        host, device = frame.captured_at, frame.device_time
        if device is None or not (math.isfinite(host) and math.isfinite(device)):
            return frame
        if self._last is None or device < self._last[1] - _SET_BACK or host < self._last[0]:
            self.rate = ClockRate()
            self._shortest, self._last = math.inf, (host, device)
        if device >= self._last[1]:
            self.rate.add(host, device)
        transit, right = host - device, self.rate.is_right
        # Clock drift makes the transit time seem to grow; only growth beyond the drift is real.
        drift = _SLEW + (abs(1 - self.rate.rate) if right and self.rate.rate is not None else 0.0)
        self._shortest = transit if right is False else min(transit, self._shortest + drift * (host - self._last[0]))
        self._last = (host, max(device, self._last[1]))
        captured_at = device + self._shortest
        return replace(frame, captured_at=captured_at) if right and captured_at < host else frame
