"""Prints what the outputs of the simulated device do, as its LED would show."""

from __future__ import annotations

import queue
import threading
import time
from typing import TextIO


class LevelPrinter:
    """Prints a line for each change of an output, from a thread of its own: a terminal that is paused must not hold the device.

    Args:
        stream: to print to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.perf_counter()
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._levels = 0
        threading.Thread(target=self._print, name="level printer", daemon=True).start()

    def show(self, levels: int) -> None:
        """Print the channels that have changed; `levels` has one bit per channel."""
        seconds = time.perf_counter() - self._began
        changed = levels ^ self._levels
        for channel in range(changed.bit_length()):
            if changed >> channel & 1:
                self._lines.put(f"{seconds:9.3f} s  channel {channel} {'on' if levels >> channel & 1 else 'off'}")
        self._levels = levels

    def _print(self) -> None:
        while True:
            print(self._lines.get(), file=self._stream, flush=True)
