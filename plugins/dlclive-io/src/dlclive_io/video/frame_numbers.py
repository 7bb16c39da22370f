"""Which frame of a film a decoded picture is, also when pictures before it are lost."""

from __future__ import annotations

import heapq

LOOK_AHEAD = 4096
"""Packets that may wait for their picture. Codecs reorder over at most 16, decoders hold back one per thread."""

REORDER = 16
"""Frames within which pictures around a packet come."""


class FrameNumbers:
    """Numbers pictures by the rank of their time stamp among those of all packets.

    A packet holds one picture and carries its presentation time; packets come in the order of decoding, pictures in the
    order of presentation. A picture's number is how many packets have an earlier time stamp. Only packets whose picture
    did not come yet are kept, at most `LOOK_AHEAD`, so memory does not grow with the film.

    Where packets carry no presentation times (`ranked` False), pictures are counted, and those that failed with them.

    Args:
        ranked: whether packets carry presentation times.
        period: time between two frames at the declared rate, in units of the time stamps; None if there is no rate.

    Attributes:
        missing: pictures that are known not to have come.
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
        """A packet will be decoded.

        Args:
            pts: its presentation time.
            lost: how many packets are known to be lost just before it.
            hole: some bytes before it could not be read; how many packets they held is unknown.
        """
        if not self.ranked or pts is None:
            self._lose(lost)
            return
        if hole and self._period is not None:
            self._hole_until = pts + REORDER * self._period
        for _ in range(lost):
            heapq.heappush(self._waiting, pts - 0.5)  # before this one, behind all others
        if self._first_key is None:
            self._first_key = pts
        heapq.heappush(self._waiting, pts)
        if len(self._waiting) > LOOK_AHEAD:  # nothing came for very long: the oldest never will
            heapq.heappop(self._waiting)
            self._lose(1)

    def picture(self, pts: int | None) -> int | None:
        """The number of the picture that was decoded now; None if it comes behind its time.

        Decoders lose the order around damage. A picture behind a later one cannot be given a number any more, and was
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
        """From the first picture on, count: packets turned out not to hold one picture each."""
        self.ranked = False
        self._waiting.clear()

    def failed(self) -> None:
        """A packet could not be decoded. Ranks show that by themselves; a count leaves its number out."""
        if not self.ranked:
            self._lose(1)

    def end(self) -> None:
        """The film is over: packets whose picture still did not come are lost."""
        self._lose(len(self._waiting))
        self._waiting.clear()

    def _pass(self, pts: int) -> None:
        """Let go of all packets up to this presentation time; those before it are lost."""
        # A film that was cut out of a longer one may begin with pictures that need the part before the first key frame;
        # they cannot be decoded, and no reader counts them.
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
        """In a film of steady rate, the clock tells how many frames went down a hole; in others nothing does."""
        position = (pts - origin) / period
        if pts - self._last > 1.5 * period and pts <= self._hole_until:
            self._lose(max(0, round(position) - self._next))
        self._steady = abs(position - self._next) < 0.5

    def _lose(self, count: int) -> None:
        self.missing += count
        self._next += count
