"""Times that go on where the clock of a stream begins again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_RECENT = 32
"""Number of timestamps from which the time between two frames is measured."""

_FAR_BACK = 1.0  # seconds


class Timeline:
    """Shifts the timestamps of packets so that they never begin again.

    Recordings that were joined byte by byte (`cat a.ts b.ts`) and cameras that restart begin their clock again in the
    middle. The first frame after such a place is shown one frame after the latest one before it.

    Packets come in decoding order, in which presentation times also go back where frames are reordered. But no frame that
    is decoded before a key frame is shown after it, and decoding times never go back.

    Args:
        period: time between two frames at the declared rate, in units of the timestamps; None without a rate.
        second: number of units in a second.
    """

    def __init__(self, period: float | None, second: float) -> None:
        self._period = period
        self._second = second
        self._shift = 0
        self._latest: int | None = None
        self._decoded: int | None = None
        self._recent: deque[int] = deque(maxlen=_RECENT)

    def place(self, packet: Packet[VideoStream]) -> bool:
        """Shift the packet's timestamps; True if the clock begins again at it."""
        if packet.pts is None:
            return False
        pts = packet.pts + self._shift
        begins = self._latest is not None and self._goes_back(packet, pts, self._latest)
        if begins and self._latest is not None:
            self._shift += self._latest + self._step(packet) - pts
            pts = packet.pts + self._shift
            self._decoded = None
        if packet.dts is not None:
            self._decoded = packet.dts + self._shift
        if self._shift:
            packet.pts, packet.dts = pts, self._decoded if packet.dts is not None else None
        self._latest = pts if self._latest is None else max(self._latest, pts)
        self._recent.append(pts)
        return begins

    def _goes_back(self, packet: Packet[VideoStream], pts: int, latest: int) -> bool:
        if packet.is_keyframe:
            return pts < latest
        if packet.dts is None or self._decoded is None:
            return False
        return packet.dts + self._shift < self._decoded - _FAR_BACK * self._second

    def _step(self, packet: Packet[VideoStream]) -> int:
        """The usual time between two frames."""
        steps = np.diff(np.sort(self._recent))
        steps = steps[steps > 0]
        usual = float(np.median(steps)) if len(steps) else self._period or packet.duration or 1
        return max(1, round(usual))
