"""The frame number of a decoded picture, even if pictures before it are lost."""

from __future__ import annotations

import heapq

LOOK_AHEAD = 4096
"""Most packets that wait for their picture. Codecs reorder over at most 16, decoders hold back one per thread."""

REORDER = 16
"""Number of frames over which codecs reorder."""


class FrameNumbers:
    """Numbers pictures by the rank of their timestamp among those of all packets.

    A packet holds one picture and carries its presentation time; packets come in decoding order, pictures in presentation
    order. A picture's number is the number of packets with an earlier timestamp. Only packets whose picture is still to
    come are kept, at most `LOOK_AHEAD`, so memory does not grow with the video.

    If packets carry no presentation times (`ranked` False), pictures are counted, including those that fail to decode.

    Args:
        ranked: whether packets carry presentation times.
        period: time between two frames at the declared rate, in units of the timestamps; None without a rate.

    Attributes:
        missing: pictures known to be lost.
    """

    def __init__(self, *, ranked: bool, period: float | None = None) -> None:
        self.ranked = ranked
        self.missing = 0
        self._period = period
        self._steady = ranked and period is not None
        self._next = 0
        self._waiting: list[float] = []
        self._first_key: float | None = None
        self._origin: float | None = None
        self._last = 0.0
        self._hole_until = float("-inf")

    def packet(self, pts: int | None, *, lost: int = 0, hole: bool = False) -> None:
        """Register a packet before it is decoded.

        Args:
            pts: its presentation time.
            lost: number of packets known to be lost just before it.
            hole: bytes before it could not be read; how many packets they held is unknown.
        """
        if not self.ranked or pts is None:
            self._lose(lost)
            return
        if hole and self._period is not None:
            self._hole_until = pts + REORDER * self._period
        for _ in range(lost):
            heapq.heappush(self._waiting, pts - 0.5)  # before this one, after all others
        if self._first_key is None:
            self._first_key = pts
        heapq.heappush(self._waiting, pts)
        if len(self._waiting) > LOOK_AHEAD:  # no picture for very long: the oldest will never come
            heapq.heappop(self._waiting)
            self._lose(1)

    def picture(self, pts: int | None) -> int | None:
        """The number of the picture just decoded; None if it comes too late.

        Decoders lose the order around damage. A picture that comes after a later one can no longer be numbered; it was
        counted as missing when the later one came.
        """
        if self.ranked and pts is not None:
            if self._origin is not None and pts <= self._last and pts not in self._waiting[:1]:
                return None
            self._pass(pts)
        number = self._next
        self._next += 1
        return number

    def count_only(self) -> None:
        """Count pictures instead: packets turned out not to hold one picture each. Call it before the first picture."""
        self.ranked = False
        self._waiting.clear()

    def failed(self) -> None:
        """Register a packet that could not be decoded. Ranks account for it anyway; a count skips its number."""
        if not self.ranked:
            self._lose(1)

    def end(self) -> None:
        """End the video: packets whose picture has not come are lost."""
        self._lose(len(self._waiting))
        self._waiting.clear()

    def _pass(self, pts: int) -> None:
        """Remove all packets up to this presentation time; earlier ones are lost."""
        # A video cut out of a longer one may begin with pictures that depend on the part before the first key frame; they
        # cannot be decoded, and no reader counts them.
        leading = self._origin is None and pts == self._first_key
        while self._waiting and self._waiting[0] < pts:
            heapq.heappop(self._waiting)
            if not leading:
                self._lose(1)
        if self._waiting and self._waiting[0] == pts:
            heapq.heappop(self._waiting)
        if self._origin is None:
            self._origin = pts - self._next * (self._period or 0.0)
        if self._period is not None and self._steady:
            self._check_clock(pts, self._origin, self._period)
        self._last = pts

    def _check_clock(self, pts: int, origin: float, period: float) -> None:
        """At a steady rate, the clock shows how many frames fell into a hole; at other rates nothing does."""
        position = (pts - origin) / period
        if pts - self._last > 1.5 * period and pts <= self._hole_until:
            self._lose(max(0, round(position) - self._next))
        self._steady = abs(position - self._next) < 0.5

    def _lose(self, count: int) -> None:
        self.missing += count
        self._next += count
