"""The newest picture and its numbers, and the viewers that wait for the next. Used in the server's event loop only."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import Any

import numpy as np

WINDOW = 5.0  # seconds that rate and latency are taken from
STALE = 1.0  # seconds without a frame
_REFRESH = 0.25  # seconds between two computations of the percentiles, which people read
_MOST = 10_000  # frames in the window


class PageState:
    """Takes what the session said and says it to each viewer.

    Args:
        about: what does not change during a run: names, colours, edges, source, model, pcutoff.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        self.sequence = 0
        self.picture = b""
        self.looked_at = -math.inf
        self._about = about
        self._frame: dict[str, Any] | None = None
        self._captured_at = 0.0
        self._came_at: float | None = None
        self._counts = dict.fromkeys(("processed", "missed", "dropped", "not_written"), 0)
        self._ended = False
        self._times: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._summary: dict[str, Any] = {}
        self._summed_at = -math.inf
        self._changed = asyncio.Event()

    def take(self, header: dict[str, Any], heard_at: float, picture: bytes | None) -> None:
        """Take an answer of the session, heard at this `time.perf_counter()`, and wake the viewers if it shows more."""
        ahead = heard_at - header["now"]  # our clock against the session's
        self._times.extend((ready + ahead, latency) for ready, latency in header["times"])
        if header["processed"] != self._counts["processed"]:
            self._came_at = heard_at
        self._counts, self._ended = {name: header[name] for name in self._counts}, header["ended"]
        if picture is not None:
            self._frame, self.picture = header["frame"], picture
            self._captured_at = header["frame"]["captured_at"] + ahead
            self.sequence += 1
        if picture is not None or self._ended:
            self._changed.set()
            self._changed = asyncio.Event()

    async def other_than(self, sequence: int, within: float) -> bool:
        """Wait some seconds for a picture with another number; whether there is one."""
        self.looked_at = time.perf_counter()
        if self.sequence == sequence and not self._ended:
            try:
                await asyncio.wait_for(self._changed.wait(), within)
            except asyncio.TimeoutError:
                return False
        return self.sequence not in (sequence, 0)

    def numbers(self) -> dict[str, Any]:
        """What the page shows beside the picture."""
        now = time.perf_counter()
        if now - self._summed_at > _REFRESH:
            self._summary, self._summed_at = self._sum_up(now), now
        numbers = {**self._about, **self._summary, "sequence": self.sequence, "state": self._state(now)}
        numbers.update(self._counts, frame=None)
        if self._frame is not None:
            pose = {name: _plain(self._frame[name]) for name in ("keypoints", "unique")}
            numbers["frame"] = {**self._frame, **pose, "age_ms": 1000 * (now - self._captured_at)}
        return numbers

    def _state(self, now: float) -> str:
        if self._ended:
            return "ended"
        if self._came_at is None:
            return "waiting"
        return "stale" if now - self._came_at > STALE else "live"

    def _sum_up(self, now: float) -> dict[str, Any]:
        while self._times and self._times[0][0] < now - WINDOW:
            self._times.popleft()
        if len(self._times) < 2:
            return {"rate": 0.0, "latency_ms": None}
        over = now - self._times[0][0]
        latency = np.percentile([latency for _, latency in self._times], (50, 95, 99))
        return {"rate": len(self._times) / over, "latency_ms": [round(1000 * float(value), 3) for value in latency]}


def _plain(values: Any) -> Any:
    """Nested lists with None in place of NaN and infinity, which JSON has not; rounded to what can be seen."""
    if isinstance(values, list):
        return [_plain(value) for value in values]
    if isinstance(values, float):
        return round(values, 3) if math.isfinite(values) else None
    return values
