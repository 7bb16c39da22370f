"""The times of a recording, as NWB stores them: a rate where they are regular, otherwise a time for each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording
from dlclive_formats.rows import MOST_EMPTY_FRAMES

NO_TIMES = (
    "NWB needs the time of each frame, which this recording does not tell: pass fps=30, or --fps 30 to dlclive convert"
)

TOLERANCE = 1e-9
"""Seconds. NWB Inspector calls times regular up to there."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of all frames, in memory: nine bytes for each.

    Attributes:
        seconds: (n,) float64, without NaN.
        missing: (n,) whether the frame has no pose; its time lies between those of its neighbours.
        rate: frames per second, if `seconds` are seconds[0] + n / rate within `TOLERANCE`.
    """

    seconds: NDArray[np.float64]
    missing: NDArray[np.bool_]
    rate: float | None

    def __len__(self) -> int:
        return len(self.seconds)


def timing_of(recording: PoseRecording, declared: float | None) -> Timing:
    """Read the times of a recording.

    Args:
        declared: frames per second, for a recording without times, and before the first and after the last time.

    Raises:
        DataError: there are neither times nor a rate; frame numbers do not increase, or jump.
    """
    pieces = [(rows.numbers, rows.seconds) for rows in recording.blocks() if len(rows)]
    numbers = np.concatenate([numbers for numbers, _ in pieces]) if pieces else np.empty(0, np.int64)
    known = np.concatenate([seconds for _, seconds in pieces]) if pieces else np.empty(0)
    count = max(int(numbers[-1]) + 1 if len(numbers) else 0, recording.frame_count)
    if count - len(numbers) > MOST_EMPTY_FRAMES or (len(numbers) and numbers[0] < 0) or (np.diff(numbers) <= 0).any():
        raise DataError(
            f"the frame numbers do not increase, or jump by more than {MOST_EMPTY_FRAMES}: check the source's counter"
        )
    missing = np.ones(count, np.bool_)
    missing[numbers] = False
    timed = np.isfinite(known)
    if not timed.any():
        if declared is None:
            if count:
                raise DataError(NO_TIMES)
            return Timing(np.empty(0), missing, None)
        return Timing(np.arange(count) / declared, missing, declared)
    seconds = _filled(count, numbers[timed], known[timed], declared)
    return Timing(seconds, missing, _rate(seconds, declared))


def _filled(
    count: int, numbers: NDArray[np.int64], known: NDArray[np.float64], declared: float | None
) -> NDArray[np.float64]:
    """Times of all frames: the known ones, and between them in proportion to the frames' numbers."""
    frames = np.arange(count)
    seconds = np.interp(frames, numbers, known)
    first, last = int(numbers[0]), int(numbers[-1])
    step = 1 / declared if declared else (known[-1] - known[0]) / (last - first) if last > first else 0.0
    # Frames before the first pose are not before the start of the recording, if that can be.
    early = min(step, known[0] / first) if first and known[0] > 0 else step
    seconds[:first] = known[0] - (first - frames[:first]) * early
    seconds[last + 1 :] = known[-1] + (frames[last + 1 :] - last) * step
    seconds[numbers] = known
    return seconds


def _rate(seconds: NDArray[np.float64], declared: float | None) -> float | None:
    count = len(seconds)
    if count < 2:
        return declared
    length = seconds[-1] - seconds[0]
    if not length > 0:
        return None
    mean = (count - 1) / length
    for rate in (declared, round(mean, 6), mean):
        if rate and np.abs(seconds - (seconds[0] + np.arange(count) / rate)).max() <= TOLERANCE:
            return float(rate)
    return None
