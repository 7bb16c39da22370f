"""How a session is doing, at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["idle", "starting", "running", "stale", "hanging", "closing", "ended"]


@dataclass(frozen=True, slots=True)
class Progress:
    """What `Session.progress` says, and what sinks can ask for while they are open (`RunInfo.progress`).

    Attributes:
        state: "idle" before `run`, "starting", "running", "stale" (frames do not come when they should), "hanging" (the
            model or a processor does not return), "closing", "ended".
        missed: frames that never came to be read so far: skipped by the source, lost on the way, damaged.
        frames_read, processed: so far.
        dropped: frames that were overwritten by newer ones while the model was busy, or left behind at the end, so far.
        not_written: estimates that sinks dropped so far, of all sinks together.
        latency: seconds from the capture of the last processed frame to its finished pose.
        trouble: why no frames come, in the source's words; else empty.
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
        """Where frames were lost, by the stages of the report: `5 dropped (capture 2, wait 3), 7 not written`."""
        places = {"capture": self.missed, "wait": self.dropped}
        where = ", ".join(f"{stage} {count}" for stage, count in places.items() if count)
        words = f"{self.missed + self.dropped} dropped" + (f" ({where})" if where else "")
        return words + (f", {self.not_written} not written" if self.not_written else "")
