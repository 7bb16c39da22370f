"""Keeps timestamps increasing when the clock of a stream restarts."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_RECENT = 32
"""Number of timestamps used to measure the time between two frames."""

_FAR_BACK = 1.0  # seconds


class Timeline:
    """Shifts the timestamps of packets so that they never restart.

    The clock restarts in the middle of recordings joined byte by byte (`cat a.ts b.ts`) and when a camera restarts. The first
    frame after a restart is shown one frame interval after the latest one before it.

    Packets arrive in decoding order, in which presentation times also go back where frames are reordered. But no frame
    decoded before a key frame is shown after it, and decoding times never go back.

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
        """Shift the packet's timestamps. Returns whether the clock restarts at it."""
        if packet.pts is None:
            return False
        pts = packet.pts + self._shift
        restarts = self._latest is not None and self._goes_back(packet, pts, self._latest)
        if restarts and self._latest is not None:
            self._shift += self._latest + self._step(packet) - pts
            pts = packet.pts + self._shift
            self._decoded = None
        if packet.dts is not None:
            self._decoded = packet.dts + self._shift
        if self._shift:
            packet.pts, packet.dts = pts, self._decoded if packet.dts is not None else None
        self._latest = pts if self._latest is None else max(self._latest, pts)
        self._recent.append(pts)
        return restarts

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
