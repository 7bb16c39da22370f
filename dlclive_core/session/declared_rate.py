"""The rate that a source declares, against the rate at which its frames come."""

from __future__ import annotations

_WINDOW = 1.0  # seconds
_SMALLEST, _LARGEST = 0.75, 1.25  # of the declared rate


class DeclaredRate:
    """Measures a live source's rate in windows of a second. A stall spoils one window, so two in a row count.

    Attributes:
        measured: frames per second in the last window, once two in a row were both too slow or both too fast; else None.
    """

    def __init__(self) -> None:
        self.measured: float | None = None
        self._began: tuple[float, int] | None = None
        self._before: float | None = None

    def add(self, declared: float | None, now: float, index: int) -> None:
        """Note a frame that was read at `now`, in seconds; its number counts the frames that were not read, too."""
        if not declared or self._began is None or index < self._began[1]:
            self._began, self._before = (now, index), None
            return
        seconds = now - self._began[0]
        if seconds < max(_WINDOW, 3 / declared):
            return
        rate, before = (index - self._began[1]) / seconds, self._before
        self._began, self._before = (now, index), rate
        if before is None:
            return
        if max(rate, before) < _SMALLEST * declared or min(rate, before) > _LARGEST * declared:
            self.measured = rate


def about(rate: float) -> str:
    """A rate for people, who know cameras by round numbers."""
    return f"{5 * round(rate / 5)}" if rate >= 20 else f"{rate:.2g}"
