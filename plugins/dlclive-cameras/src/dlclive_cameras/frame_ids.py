"""Frames lost according to the camera's own frame numbers."""

from __future__ import annotations

_WRAP = 0xFFFF  # GigE Vision counts blocks in 16 bits, from 1; after 65535 comes 1, because 0 means "not supported"


class FrameIds:
    """Finds gaps in a camera's frame numbers, which may start at 0 or 1 and may wrap around."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._wraps = True

    def advance(self, frame_id: int) -> int:
        """Number of frames that the camera counted since the previous one: 1 without a gap, and for the first."""
        last, self._last = self._last, frame_id
        if frame_id > _WRAP:
            self._wraps = False
        if last is None:
            return 1
        step = frame_id - last
        if step < 0 and self._wraps and last > _WRAP // 2:
            step += _WRAP
        return max(1, step)  # the same or a smaller number: the camera restarted
