"""Parses regions written as text: `0,320,40,280` and `0.5,20`, in every command and in session files."""

from __future__ import annotations

from dlclive_core.errors import UsageError, shown


def parse_cropping(text: str | None, option: str = "--cropping") -> tuple[int, int, int, int] | None:
    """Parse (x1, x2, y1, y2) in pixels. Raises UsageError, naming `option`."""
    if text is None:
        return None
    try:
        x1, x2, y1, y2 = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} takes x1,x2,y1,y2 in whole pixels, for example 0,320,40,280; got {shown(text)}"
        ) from None
    return x1, x2, y1, y2


def parse_dynamic(text: str | None, option: str = "--dynamic") -> tuple[float, float] | None:
    """Parse (threshold, margin) of a crop that follows the animal. Raises UsageError, naming `option`."""
    if text is None:
        return None
    try:
        threshold, margin = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} takes threshold,margin, for example 0.5,20; got {shown(text)}") from None
    return threshold, margin
