"""The events file, written by a thread of the heartbeat process. Standard library only."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue

COLUMNS = ("sequence", "event", "reason", "frame", "age", "decided", "sent", "acknowledged", "device_time")


class EventFile:
    """Appends lines in a thread, so that the disk never delays the heartbeat.

    Args:
        descriptor: of the file, open for writing; None: events are discarded.
        origin: `time.perf_counter()` of the file's time zero.

    Attributes:
        error: the error of the first line that could not be written; later lines are discarded.
    """

    def __init__(self, descriptor: int | None, origin: float) -> None:
        self.error: OSError | None = None
        self._descriptor = descriptor
        self._origin = origin
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(
        self,
        event: str,
        *,
        sequence: int | None = None,
        reason: str = "",
        frame: int | None = None,
        age: float | None = None,
        decided: float | None = None,
        sent: float | None = None,
        acknowledged: float | None = None,
        device_time: float | None = None,
    ) -> None:
        """Write one event. Times are `time.perf_counter()`; `device_time` is the device's own clock."""
        moments = (None if moment is None else moment - self._origin for moment in (decided, sent, acknowledged))
        values = (sequence, event, reason, frame, age, *moments, device_time)
        cells = ("" if v is None else f"{v:.6f}" if isinstance(v, float) else str(v) for v in values)
        self._lines.put((",".join(cells) + "\n").encode())

    def close(self) -> None:
        """Wait until everything is written, at most one second."""
        self._lines.put(None)
        self._thread.join(1.0)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._descriptor is None or self.error is not None:
                continue
            try:
                if os.write(self._descriptor, line) != len(line):
                    raise OSError(28, os.strerror(28))
            except OSError as error:
                self.error = error
