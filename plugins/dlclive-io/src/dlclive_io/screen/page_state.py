"""The newest picture and its numbers, for all open pages. Used in the server's event loop only."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from dlclive_io.screen.recent_times import RecentTimes

STALE = 1.0  # seconds without a frame after which the state is "stale"
_REFRESH = 0.25  # seconds between two computations of the percentiles, which people read


class PageState:
    """Keeps the session's newest update and wakes the pages that wait for it.

    Args:
        about: constants of the run: names, colours, edges, source, model, pcutoff.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        self.sequence = 0
        self.picture = b""
        self.requested_at = -math.inf
        self._about = about
        self._frame: dict[str, Any] | None = None
        self._captured_at = 0.0
        self._last_frame_at: float | None = None
        self._counts = dict.fromkeys(("processed", "missed", "dropped", "not_written"), 0)
        self._ended = False
        self._times = RecentTimes()
        self._summary: dict[str, Any] = {}
        self._summarised_at = -math.inf
        self._changed = asyncio.Event()

    def update(self, header: dict[str, Any], received_at: float, picture: bytes | None) -> None:
        """Store an update received at this `time.perf_counter()`, and wake waiting pages if there is something to show."""
        ahead = received_at - header["now"]  # this process's clock minus the session's
        self._times.extend((ready + ahead, latency) for ready, latency in header["times"])
        if header["processed"] != self._counts["processed"]:
            self._last_frame_at = received_at
        self._counts, self._ended = {name: header[name] for name in self._counts}, header["ended"]
        if picture is not None:
            self._frame, self.picture = header["frame"], picture
            self._captured_at = header["frame"]["captured_at"] + ahead
            self.sequence += 1
        if picture is not None or self._ended:
            self._changed.set()
            self._changed = asyncio.Event()

    async def wait_for_other(self, sequence: int, timeout: float) -> bool:
        """Wait until the newest picture has another number; False if that does not happen within `timeout` seconds."""
        self.requested_at = time.perf_counter()
        if self.sequence == sequence and not self._ended:
            try:
                await asyncio.wait_for(self._changed.wait(), timeout)
            except asyncio.TimeoutError:
                return False
        return self.sequence not in (sequence, 0)

    def numbers(self) -> dict[str, Any]:
        """The values that the page shows beside the picture."""
        now = time.perf_counter()
        if now - self._summarised_at > _REFRESH:
            self._summary, self._summarised_at = self._summarise(now), now
        numbers = {**self._about, **self._summary, "sequence": self.sequence, "state": self._state(now)}
        numbers.update(self._counts, frame=None)
        if self._frame is not None:
            pose = {name: _plain(self._frame[name]) for name in ("keypoints", "unique")}
            numbers["frame"] = {**self._frame, **pose, "age_ms": 1000 * (now - self._captured_at)}
        return numbers

    def _state(self, now: float) -> str:
        if self._ended:
            return "ended"
        if self._last_frame_at is None:
            return "waiting"
        return "stale" if now - self._last_frame_at > STALE else "live"

    def _summarise(self, now: float) -> dict[str, Any]:
        latency = self._times.latency_ms(now)
        rounded = None if latency is None else [round(value, 3) for value in latency]
        return {"rate": self._times.rate(now), "latency_ms": rounded}


def _plain(values: Any) -> Any:
    """Nested lists, rounded to visible precision, with None for NaN and infinity, which JSON lacks."""
    if isinstance(values, list):
        return [_plain(value) for value in values]
    if isinstance(values, float):
        return round(values, 3) if math.isfinite(values) else None
    return values
