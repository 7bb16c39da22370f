"""The progress of a run on standard error."""

from __future__ import annotations

import sys
import time

from dlclive_core import Estimate, RunInfo, Sink

_PERIOD = 0.2  # seconds between updates on a terminal
_LINE_PERIOD = 30.0  # seconds between lines in a log


class ProgressLine(Sink):
    """Shows how many frames are done and how many come a second: one line on a terminal, else a line every half minute.

    Args:
        total: number of frames, or None.
        each: show the rate of every frame on its own, as `print_rate` asks for.
    """

    def __init__(self, total: int | None, *, each: bool = False) -> None:
        self._total = total
        self._each = each

    def open(self, run: RunInfo) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._began = self._shown = time.perf_counter()
        self._count = 0

    def write(self, estimate: Estimate) -> None:
        self._count += 1
        now = time.perf_counter()
        if now - self._shown < (_PERIOD if self._is_terminal else _LINE_PERIOD):
            return
        self._shown = now
        rate = self._count / (now - self._began)
        if self._each:
            rate = 1 / max(1e-9, estimate.ready_at - estimate.inference_began)
        of = "" if self._total is None else f" of {self._total}"
        text = f"{self._count}{of} frames, {rate:.1f} frames/s"
        sys.stderr.write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        if getattr(self, "_is_terminal", False):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_terminal = False
