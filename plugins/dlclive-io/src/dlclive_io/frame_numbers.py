"""Which frame of a film a decoded picture is, also when pictures before it are lost."""

from __future__ import annotations

import heapq

LOOK_AHEAD = 4096
"""Packets that may wait for their picture. No codec reorders over more than 16, no decoder holds back more than threads."""


class FrameNumbers:
    """Numbers pictures by the rank of their time stamp among those of all packets.

    A packet holds one picture and carries its presentation time; packets come in the order of decoding, pictures in the
    order of presentation. A picture's number is how many packets have an earlier time stamp. Only packets whose picture
    did not come yet are kept, at most `LOOK_AHEAD`, so memory does not grow with the film.

    Without time stamps (`ranked` False) pictures are counted, and `skip` is told of each one that failed.

    Attributes:
        missing: pictures that are known not to have come.
    """

    def __init__(self, *, ranked: bool) -> None:
        self.ranked = ranked
        self.missing = 0
        self._next = 0
        self._waiting: list[int] = []
        self._first_key: int | None = None
        self._started = False

    def packet(self, pts: int) -> None:
        """A packet with this presentation time will be decoded."""
        if self._first_key is None:
            self._first_key = pts
        heapq.heappush(self._waiting, pts)
        if len(self._waiting) > LOOK_AHEAD:  # nothing came for very long: the oldest never will
            self._lose_first()

    def picture(self, pts: int | None) -> int:
        """The number of the picture that was decoded now."""
        if self.ranked and pts is not None:
            # A film that was cut out of a longer one may begin with pictures that need the lost part before the first
            # key frame; nobody can decode them, and no reader counts them.
            leading = not self._started and pts == self._first_key
            while self._waiting and self._waiting[0] < pts:
                if leading:
                    heapq.heappop(self._waiting)
                else:
                    self._lose_first()
            if self._waiting and self._waiting[0] == pts:
                heapq.heappop(self._waiting)
        elif self._waiting:
            heapq.heappop(self._waiting)
        self._started = True
        number = self._next
        self._next += 1
        return number

    def skip(self) -> None:
        """A packet could not be decoded; where pictures are only counted, its number is left out."""
        if not self.ranked:
            self.missing += 1
            self._next += 1

    def end(self) -> None:
        """The film is over: packets whose picture still did not come are lost."""
        while self._waiting:
            self._lose_first()

    def _lose_first(self) -> None:
        heapq.heappop(self._waiting)
        self.missing += 1
        self._next += 1
