"""How fast a device's clock runs, by the host's."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

_SPAN = 0.25  # seconds: much longer than a frame's way jitters
_SPANS = 40  # ten seconds
_ENOUGH, _CERTAIN = 2, 8  # spans
_TOLERANCE, _NOISE = 0.05, 0.1


class ClockRate:
    """Compares a device's clock with the host's, frame by frame: drivers have been seen to stamp in other units than they say.

    One frame says little, because frames wait, stall and come in bursts. So both clocks are compared over spans of a quarter
    of a second, and the median of the spans counts: a stall and the burst after it are two spans of forty.
    """

    def __init__(self) -> None:
        self._rates: deque[float] = deque(maxlen=_SPANS)
        self._began: tuple[float, float] | None = None
        self._rate: float | None = None

    @property
    def rate(self) -> float | None:
        """Seconds on the device's clock in one second of the host's; None until that can be said."""
        return self._rate if len(self._rates) >= _ENOUGH else None

    @property
    def is_right(self) -> bool | None:
        """Whether it counts seconds, as far as is known by now."""
        if self._rate is None or len(self._rates) < _ENOUGH:
            return None
        return abs(self._rate - 1) <= _TOLERANCE + _NOISE / math.sqrt(len(self._rates))

    @property
    def is_wrong(self) -> bool:
        """Whether it certainly does not count seconds: enough to say so."""
        return len(self._rates) >= _CERTAIN and self.is_right is False

    def add(self, host: float, device: float) -> None:
        """Add a frame's times on both clocks, in seconds. A clock that goes back was set anew, and is judged anew."""
        if not (math.isfinite(host) and math.isfinite(device)):
            return
        if self._began is None or host < self._began[0] or device < self._began[1]:
            self._began = (host, device)
            self._rates.clear()
        elif host - self._began[0] >= _SPAN:
            self._rates.append((device - self._began[1]) / (host - self._began[0]))
            self._rate = median(self._rates)
            self._began = (host, device)
