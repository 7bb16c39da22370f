"""Warns of a size that changes the shape of the picture, such as 640x480 for pictures of 480x640."""

from __future__ import annotations

_TOLERANCE = 0.02
"""The largest difference of the aspect ratios that is not worth a warning: sides are rounded to whole pixels."""


def shape_warning(option: str, size: tuple[int, int], picture: tuple[int, int], effect: str) -> str:
    """One line if a size has another aspect ratio than the picture, else "". Both are (width, height) in pixels.

    Args:
        option: the command line option that has the size.
        effect: what happens to the picture then.
    """
    (width, height), (across, down) = size, picture
    if abs(width * down - height * across) <= _TOLERANCE * max(width * down, height * across):
        return ""
    kept = (width, max(1, round(width * down / across)))
    advice = f"{height}x{width}" if size == (down, across) else f"{kept[0]}x{kept[1]}"
    given, pictures = f"{width}x{height}", f"{across}x{down} (WIDTHxHEIGHT)"
    return f"warning: {option} {given} {effect}: the pictures are {pictures}; {advice} keeps their shape"
