"""Counts darts: how often a keypoint becomes faster than a limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TextIO

from dlclive_core import Frame, OutputExistsError, Pose, Processor, RunInfo, UsageError


class SpeedGate(Processor):
    """Counts how often a keypoint becomes faster than a limit; the pose passes through unchanged.

    The speed is the distance from the last detected position, divided by the time since then. A missing keypoint has no
    speed. With several animals, the processor watches the one with the highest confidence.

    Args:
        limit: speed limit in px/s.
        keypoint: its name in the skeleton.
        min_confidence: a keypoint below this confidence counts as missing.
        log: a new file for the darts, one line each: frame, seconds, px/s.

    Attributes:
        darts: the number of darts so far.
    """

    def __init__(
        self, *, limit: float, keypoint: str = "snout", min_confidence: float = 0.6, log: Path | None = None
    ) -> None:
        if not limit > 0:
            raise UsageError(f"processor 'speed-gate': limit must be a speed above 0 px/s; got {limit!r}")
        self.darts = 0
        self._limit = limit
        self._keypoint = keypoint
        self._min_confidence = min_confidence
        self._log = log
        self._file: TextIO | None = None
        self._index = 0
        self._last: tuple[float, float, float] | None = None
        self._fast = False

    def open(self, run: RunInfo) -> None:
        """Look up the keypoint, and create the file."""
        self.close()
        self._index = run.card.skeleton.index(self._keypoint)  # raises an error with the nearest name if unknown
        self.darts, self._last, self._fast = 0, None, False
        if self._log is not None:
            try:
                self._file = self._log.open("x", buffering=1, encoding="utf-8")  # line buffered
            except FileExistsError:
                raise OutputExistsError(f"{self._log} already exists; choose another name for the log") from None
            self._file.write("frame,seconds,speed\n")

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Compare the speed with the limit."""
        x, y, confidence = (float(value) for value in pose.single()[self._index])
        if confidence >= self._min_confidence and math.isfinite(x) and math.isfinite(y):
            now = frame.captured_at if frame.device_time is None else frame.device_time
            if self._last is not None and now > self._last[0]:
                before, last_x, last_y = self._last
                self._compare(math.hypot(x - last_x, y - last_y) / (now - before), frame, now)
            self._last = now, x, y
        return pose

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _compare(self, speed: float, frame: Frame, now: float) -> None:
        if speed > self._limit and not self._fast:
            self.darts += 1
            if self._file is not None:
                self._file.write(f"{frame.index},{now:.6f},{speed:.1f}\n")
        self._fast = speed > self._limit
