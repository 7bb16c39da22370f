"""Angles and directions between points, in two dimensions or three."""

from __future__ import annotations

import math
from collections.abc import Sequence


def angle_between(u: Sequence[float], v: Sequence[float]) -> float:
    """The angle between two vectors in degrees, 0 to 180; NaN if one has no length or is NaN.

    2 atan2(||u/|u| - v/|v|||, ||u/|u| + v/|v|||), which is exact for small and for flat angles, where the arc cosine of the
    scalar product is not: W. Kahan, How futile are mindless assessments of roundoff in floating-point computation? (2006),
    section 12.
    """
    length_u, length_v = math.hypot(*u), math.hypot(*v)
    if not (length_u > 0 and length_v > 0):
        return math.nan
    pairs = [(a / length_u, b / length_v) for a, b in zip(u, v, strict=True)]
    return math.degrees(2 * math.atan2(math.hypot(*(a - b for a, b in pairs)), math.hypot(*(a + b for a, b in pairs))))


def direction(start: Sequence[float], end: Sequence[float]) -> float:
    """The direction from start to end in degrees, above -180 to 180: atan2(dy, dx).

    0 is to the right. y points down in an image, so 90 is down, and angles grow clockwise as they are seen. In space it is the
    direction within the plane of x and y. NaN if the points coincide there, or are NaN.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    if math.isnan(dx + dy) or (dx == 0 and dy == 0):
        return math.nan
    degrees = math.degrees(math.atan2(dy, dx))
    return 180.0 if degrees == -180.0 else degrees


def difference(end: Sequence[float], start: Sequence[float]) -> tuple[float, ...]:
    """The vector from start to end."""
    return tuple(b - a for a, b in zip(start, end, strict=True))
