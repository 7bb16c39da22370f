"""The rate of a device's clock relative to the host's."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

_SPAN = 0.25  # seconds; much longer than the jitter of a frame's transit
_SPANS = 40  # ten seconds
_ENOUGH, _CERTAIN = 2, 8  # spans
_TOLERANCE, _NOISE = 0.05, 0.1


class ClockRate:
    """Compares a device's clock with the host's, frame by frame, because some drivers use other units than they declare.

    A single frame is unreliable, because frames wait, stall and arrive in bursts. The clocks are therefore compared over spans
    of a quarter of a second, and the median of the spans is used: a stall and the burst after it are two spans of forty.
    """

    def __init__(self) -> None:
        self._rates: deque[float] = deque(maxlen=_SPANS)
        self._began: tuple[float, float] | None = None
        self._rate: float | None = None

    @property
    def rate(self) -> float | None:
        """Seconds on the device's clock per second of the host's; None until measured."""
        return self._rate if len(self._rates) >= _ENOUGH else None

    @property
    def is_right(self) -> bool | None:
        """Whether the device's clock counts seconds, by the measurement so far; None until measured."""
        if self._rate is None or len(self._rates) < _ENOUGH:
            return None
        return abs(self._rate - 1) <= _TOLERANCE + _NOISE / math.sqrt(len(self._rates))

    @property
    def is_wrong(self) -> bool:
        """Whether the device's clock certainly does not count seconds: enough evidence to report it."""
        return len(self._rates) >= _CERTAIN and self.is_right is False

    def add(self, host: float, device: float) -> None:
        """Add a frame's times on both clocks, in seconds. A clock that goes back was reset, and is measured anew."""
        if not (math.isfinite(host) and math.isfinite(device)):
            return
        if self._began is None or host < self._began[0] or device < self._began[1]:
            self._began = (host, device)
            self._rates.clear()
        elif host - self._began[0] >= _SPAN:
            self._rates.append((device - self._began[1]) / (host - self._began[0]))
            self._rate = median(self._rates)
            self._began = (host, device)
