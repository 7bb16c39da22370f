"""The state and counts of a running session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["idle", "starting", "running", "stale", "hanging", "closing", "ended"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state and counts of a session so far, from `Session.progress`, or `RunInfo.progress` in sinks and processors.

    Attributes:
        state: "idle" before `run`, "starting", "running", "stale" (frames are overdue), "hanging" (the model or a
            processor does not return), "closing", "ended".
        missed: frames that could not be read: skipped by the source, lost in transfer, or damaged.
        frames_read, processed: frames read, and frames whose poses went to the sinks.
        dropped: frames that were read and have no pose: overwritten by newer ones while the model was busy, still waiting at
            the end, or failed. At the end it is `SessionReport.dropped`.
        not_written: estimates that sinks dropped, summed over all sinks.
        latency: seconds from the capture of the last processed frame to its finished pose.
        trouble: the source's message when frames fail to arrive; otherwise empty.
    """

    state: State
    missed: int = 0
    frames_read: int = 0
    processed: int = 0
    dropped: int = 0
    not_written: int = 0
    latency: float = 0.0
    trouble: str = ""

    @property
    def losses(self) -> str:
        """Lost frames as text: `3 dropped, 2 missed, 7 not written`; dropped and missed as in this class and the report."""
        more = {"missed": self.missed, "not written": self.not_written}
        return ", ".join([f"{self.dropped} dropped", *(f"{count} {what}" for what, count in more.items() if count)])
