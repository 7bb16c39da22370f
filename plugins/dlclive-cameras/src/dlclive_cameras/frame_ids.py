"""Frames lost according to the camera's own frame numbers."""

from __future__ import annotations

_WRAP = 0xFFFF  # GigE Vision counts blocks in 16 bits, from 1; after 65535 comes 1, because 0 means "not supported"
_REMEMBERED = 256  # gaps: a network exchanges neighbours
_LARGEST_GAP = 2_000  # frames across the wrap; beyond that, the camera restarted


class FrameIds:
    """Finds gaps in a camera's frame numbers, which may start at 0 or 1, may wrap around, and may come out of order.

    Attributes:
        behind: how many numbers the last frame was behind the newest one; 0 unless it fills a gap that was counted as lost.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._wraps = True
        self._missing: dict[int, None] = {}  # in the order of their gaps
        self.behind = 0

    def advance(self, frame_id: int) -> int:
        """Number of frames that the camera counted since the newest one: 1 without a gap and for the first, 0 if it is late."""
        self.behind = 0
        newest = self._newest
        if frame_id in self._missing and newest is not None:
            del self._missing[frame_id]
            self.behind = (newest - frame_id) % _WRAP if self._wraps else newest - frame_id
            return 0
        self._newest = frame_id
        if frame_id > _WRAP:
            self._wraps = False
        if newest is None:
            return 1
        step = frame_id - newest
        if step < 0 and self._wraps and step + _WRAP <= _LARGEST_GAP:
            step += _WRAP
        if step < 1:  # the same or a smaller number: the camera restarted
            self._missing.clear()
            return 1
        self._remember(newest, min(step, _REMEMBERED + 1))
        return step

    def _remember(self, newest: int, step: int) -> None:
        """Note the numbers between the newest frame and the one `step` later."""
        for number in range(newest + 1, newest + step):
            self._missing[(number - 1) % _WRAP + 1 if self._wraps else number] = None
        while len(self._missing) > _REMEMBERED:
            del self._missing[next(iter(self._missing))]
