"""The frame number of a decoded picture, even if pictures before it are lost."""

from __future__ import annotations

import heapq
from collections import deque

LOOK_AHEAD = 4096
"""Maximum number of packets that wait for their picture. Codecs reorder over at most 16, decoders hold back one per thread."""

REORDER = 16
"""Maximum number of frames over which codecs reorder."""


class FrameNumbers:
    """Numbers pictures by the rank of their timestamp among those of all packets.

    A packet holds one picture and carries its presentation time; packets come in decoding order, pictures in presentation
    order. A picture's number is the number of packets with an earlier timestamp. Only packets whose picture is still to
    come are kept, at most `LOOK_AHEAD`, so memory does not grow with the video.

    If packets carry no presentation times (`ranked` False), pictures are counted. After a packet that fails to decode it is
    unknown which of the following pictures are missing, because they come in another order than their packets. They get no
    number, up to the next key frame: the packets before its own, and those of pictures that came just before it, hold all
    earlier pictures.

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
        self._next = self._after = 0  # the next number; the one after the last picture
        self._waiting: list[float] = []
        self._first_key: float | None = None
        self._origin: float | None = None
        self._last = 0.0
        self._hole_until = float("-inf")
        self._packets = 0
        self._is_one_each = True  # packets hold one picture each
        self._unsure_since: int | None = None  # the last packet known to be lost
        self._shown: deque[int] = deque(maxlen=2 * REORDER)  # packets of the last pictures
        self._unshown = 0  # packets before the last key frame that hold no picture, though nothing is damaged

    def packet(self, pts: int | None, *, lost: int = 0, hole: bool = False) -> None:
        """Register a packet before it is decoded.

        Args:
            pts: its presentation time.
            lost: number of packets known to be lost just before it.
            hole: bytes before it could not be read; how many packets they held is unknown.
        """
        self._packets += lost + 1
        if not self.ranked and self._is_one_each:
            if lost:
                self._unsure_since = self._packets - 2
            return
        if not self.ranked or pts is None:
            self._lose(lost)
            return
        # A damaged time, of a picture that was shown before: which one this packet holds, the clock will tell. Equal times are
        # none, they come from clocks that are too coarse for the rate.
        is_past = self._origin is not None and pts < self._last
        if (hole or is_past) and self._period is not None:
            self._hole_until = max(pts, self._last) + REORDER * self._period
            if is_past:
                return
        for _ in range(lost):
            heapq.heappush(self._waiting, pts - 0.5)  # before this one, after all others
        if self._first_key is None:
            self._first_key = pts
        heapq.heappush(self._waiting, pts)
        if len(self._waiting) > LOOK_AHEAD:  # no picture for very long: the oldest will never come
            heapq.heappop(self._waiting)
            self._lose(1)

    @property
    def newest_packet(self) -> int:
        """The number of the packet just registered, in decoding order."""
        return self._packets - 1

    def picture(self, pts: int | None, *, packet: int | None = None, is_key: bool = False) -> int | None:
        """The number of the picture just decoded; None if it comes too late, or if its number is unknown.

        Args:
            pts: its presentation time.
            packet: `newest_packet` when its packet was registered; needed without presentation times.
            is_key: whether it is a key frame.

        Decoders lose the order around damage. A picture that comes after a later one can no longer be numbered; it was
        counted as missing when the later one came.
        """
        if self.ranked and pts is not None:
            if self._origin is not None and pts <= self._last and pts not in self._waiting[:1]:
                return None
            if not self._pass(pts):
                return None
        elif not self.ranked and self._is_one_each and packet is not None:
            if is_key:
                self._check_count(packet)
            self._shown.append(packet)
            if self._unsure_since is not None:
                return None
        number = self._next
        self._next = self._after = number + 1
        return number

    def count_only(self) -> None:
        """Count pictures instead: packets turned out not to hold one picture each. Call it before the first picture."""
        self.ranked = self._is_one_each = False
        self._waiting.clear()

    def failed(self) -> None:
        """Register a packet that could not be decoded. Ranks account for it anyway; a count skips its number."""
        if self.ranked:
            return
        if self._is_one_each:
            self._unsure_since = self.newest_packet
        else:
            self._lose(1)

    def cut_short(self) -> None:
        """Register that packets are missing at the end: the last pictures may come behind some that never arrived."""
        self._hole_until = float("inf")

    def end(self) -> None:
        """End the video: packets whose picture has not come are lost."""
        self._lose(len(self._waiting))
        self._waiting.clear()
        if self._unsure_since is not None:
            self._lose(max(0, self._packets - self._unshown - self._next))
            self._unsure_since = None

    def _pass(self, pts: int) -> bool:
        """Remove all packets up to this presentation time; earlier ones are lost. False if the clock contradicts a number."""
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
        self._last = pts
        return self._period is None or not self._steady or self._check_clock(pts, self._origin, self._period)

    def _check_clock(self, pts: int, origin: float, period: float) -> bool:
        """At a constant rate, derive the number of lost frames from the timestamps; at a variable rate it is unknown.

        Damage also makes packets of nothing, which were counted, and gives pictures the time of another one. False if the
        number at this time is taken.
        """
        position = (pts - origin) / period
        if pts <= self._hole_until:
            self._lose(max(round(position), self._after) - self._next)
            if round(position) < self._after:
                return False
        self._steady = abs(position - self._next) < 0.5
        return True

    def _check_count(self, packet: int) -> None:
        """At a key frame, packets and pictures agree, but for packets without a picture that some encoders write."""
        if self._unsure_since is not None and packet <= self._unsure_since:
            return  # the decoder held it back: the damage comes after it
        before = packet + sum(other > packet for other in self._shown)
        if self._unsure_since is not None:
            self._lose(max(0, before - self._unshown - self._next))
            self._unsure_since = None
        self._unshown = before - self._next

    def _lose(self, count: int) -> None:
        self.missing += count
        self._next += count
