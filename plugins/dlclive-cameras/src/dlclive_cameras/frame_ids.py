"""From a camera's own numbers to frames that were lost."""

from __future__ import annotations

_WRAP = 0xFFFF  # GigE Vision counts blocks in 16 bits, from 1; after 65535 comes 1, because 0 means "not supported"


class FrameIds:
    """Counts the gaps in a camera's frame numbers. Some cameras begin with 0, some with 1; some numbers wrap."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._wraps = True

    def passed(self, frame_id: int) -> int:
        """How many frames the camera counted since the last one: 1 without a gap, or for the first."""
        last, self._last = self._last, frame_id
        if frame_id > _WRAP:
            self._wraps = False
        if last is None:
            return 1
        step = frame_id - last
        if step < 0 and self._wraps and last > _WRAP // 2:
            step += _WRAP
        return max(1, step)  # the same number again, or a smaller one: the camera began anew
