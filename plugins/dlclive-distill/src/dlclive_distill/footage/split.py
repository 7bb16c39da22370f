"""Which part of each video is learnt from, and which stretches of the rest are for judging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HELD_OUT = 0.2
"""The last part of each video, which is held out."""
GAP = 1.0
"""Seconds between what is learnt from and what is held out, so that no nearly equal frame is on both sides."""
WHOLE_FROM = 3
"""With as many videos or more, the last one is held out as a whole."""
JUDGED = 700
"""Frames to judge on, at most."""
STRETCH = 100
"""Successive frames in a stretch, where there are more than JUDGED."""
_SHORTEST = 10


def split_video(count: int, fps: float, *, whole: bool) -> tuple[range, range]:
    """The positions to learn from and to hold out, of a video with `count` frames. `whole`: hold out all of it."""
    if whole:
        return range(0), range(count)
    held = round(count * HELD_OUT)
    begin = count - held
    return range(max(0, begin - max(1, round(fps * GAP)))), range(begin, count)


def choose_stretches(lengths: Sequence[int], judged: int = JUDGED) -> list[list[range]]:
    """The stretches of each held-out part: all of them if they have at most `judged` frames, else some, evenly spread.

    Args:
        lengths: frames of each held-out part.
        judged: frames in all stretches together, at most.
    """
    total = sum(lengths)
    if total <= judged:
        return [[range(length)] if length else [] for length in lengths]
    parts = sum(length > 0 for length in lengths)
    each = max(_SHORTEST, min(STRETCH, judged // parts))
    numbers = _proportional(lengths, max(1, judged // each))
    return [_evenly(length, number, each) for length, number in zip(lengths, numbers, strict=True)]


def _proportional(lengths: Sequence[int], count: int) -> list[int]:
    """`count` stretches, shared out by length; each part has one before any has a second."""
    numbers = [0] * len(lengths)
    for _ in range(count):
        best = max(range(len(lengths)), key=lambda place: _need(lengths[place], numbers[place]))
        numbers[best] += 1
    return numbers


def _evenly(length: int, number: int, each: int) -> list[range]:
    if number == 0 or length == 0:
        return []
    if number * each >= length:
        return [range(length)]
    if number == 1:
        begin = (length - each) // 2
        return [range(begin, begin + each)]
    starts = np.linspace(0, length - each, number).astype(int).tolist()
    return [range(start, start + each) for start in starts]


def _need(length: int, number: int) -> tuple[bool, float]:
    return number == 0 and length > 0, length / (number + 1)
