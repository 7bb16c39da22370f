"""The regions as words: `0,320,40,280` and `0.5,20`, the same for every command and for session files."""

from __future__ import annotations

from dlclive_core.errors import UsageError


def cropping_from_words(text: str | None, what: str = "--cropping") -> tuple[int, int, int, int] | None:
    """(x1, x2, y1, y2) in pixels. Raises UsageError, which calls the option `what`."""
    if text is None:
        return None
    try:
        x1, x2, y1, y2 = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{what} takes x1,x2,y1,y2 in whole pixels, for example 0,320,40,280; got {text!r}") from None
    return x1, x2, y1, y2


def dynamic_from_words(text: str | None, what: str = "--dynamic") -> tuple[float, float] | None:
    """(threshold, margin) of a crop that follows the animal. Raises UsageError, which calls the option `what`."""
    if text is None:
        return None
    try:
        threshold, margin = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{what} takes threshold,margin, for example 0.5,20; got {text!r}") from None
    return threshold, margin
