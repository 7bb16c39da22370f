"""The watch: notices when frames do not come, and when the model or a processor does not return."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Sequence

from dlclive_core.session.loop import Busy, Loop
from dlclive_core.session.running_session import Lane

_log = logging.getLogger(__name__)

_EVERY = 0.01  # seconds
_SLACK = 0.02  # seconds that a frame may be late beyond two periods
_QUIET = 1.0  # seconds without a frame from a source that declares no rate, or before its first frame


class Watch:
    """A thread beside the loops of live sources. It notes and says what it sees, and stops nothing.

    Outputs do not need it: their leases lapse when poses stop coming, also when all of Python is held up.
    """

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = [loop for loop in loops if any(lane.capture.source.is_live for lane in loop.lanes)]
        self._lanes = [_LaneWatch(lane) for loop in self._loops for lane in loop.lanes if lane.capture.source.is_live]
        self._noted: dict[Loop, Busy] = {}
        self._dumped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlclive watch", daemon=True)

    def start(self) -> None:
        """Look from now on; nothing is started if no source is live."""
        if self._loops:
            self._thread.start()

    def stop(self) -> None:
        """Look no more. Safe without `start`."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            now = time.perf_counter()
            for lane in self._lanes:
                lane.look(now)
            for loop in self._loops:
                self._look(loop, now)

    def _look(self, loop: Loop, now: float) -> None:
        busy, noted = loop.busy, self._noted.get(loop)
        if noted is not None and busy is not noted:
            del self._noted[loop]
            for lane in noted.lanes:
                lane.is_hanging = False
                lane.events.add(
                    "released", f"{noted.what} returned from frame {noted.index} after {now - noted.since:.2f} s"
                )
        if busy is None or busy is noted or now - busy.since <= min(lane.session.deadline for lane in busy.lanes):
            return
        self._noted[loop] = busy
        text = f"{busy.what} has been at frame {busy.index} for {now - busy.since:.2f} s and does not return"
        for lane in busy.lanes:
            lane.is_hanging = True
            lane.events.add("hanging", text)
        _log.error("%s", text)
        if not self._dumped:
            self._dumped = True
            dump_stacks()


class _LaneWatch:
    """Whether frames of one lane come, and what its source says."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._since: float | None = None
        self._trouble = False

    def look(self, now: float) -> None:
        lane, source, last = self._lane, self._lane.capture.source, self._lane.capture.last_at
        if lane.capture.handoff.is_over:
            lane.is_stale = False
            return
        patience = lane.session.stale_after or (2 / source.fps + _SLACK if source.fps else _QUIET)
        if lane.capture.read == 0:
            patience = max(patience, _QUIET)
        if self._since is None and now - last > patience:
            self._since = last
            lane.is_stale = True
            lane.stalls += 1
            lane.events.add("stale", f"{source.name}: no frame for {1e3 * (now - last):.0f} ms")
        elif self._since is not None and last != self._since:
            lane.is_stale = False
            lane.events.add("recovered", f"{source.name}: frames again after {last - self._since:.2f} s")
            self._since = None
        if self._since is not None:
            lane.longest_stall = max(lane.longest_stall, now - self._since)
        trouble = source.trouble
        if trouble and not self._trouble:
            lane.events.add("trouble", trouble)
        self._trouble = bool(trouble)


def dump_stacks() -> None:
    """Write to standard error where all threads are; nothing where there is no such file, as under some notebooks."""
    for file in (sys.stderr, sys.__stderr__):
        try:
            if file is not None:
                file.flush()
                faulthandler.dump_traceback(file=file)
                return
        except (AttributeError, OSError, RuntimeError, ValueError):
            continue
