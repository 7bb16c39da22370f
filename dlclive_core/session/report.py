"""What happened in a session, as values that can be printed and saved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dlclive_core.session.timing import StageTimes

Ending = Literal["end of source", "frame limit", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class SinkResult:
    """What became of one sink. `error` is one line, empty when nothing went wrong."""

    sink: str
    written: int
    dropped: int
    finished: bool
    error: str
    outputs: tuple[Path, ...]
    write: StageTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """What happened in a session.

    `frames_read == processed + dropped`, always: a frame was read when `FrameSource.read` returned it, processed when its
    pose went to the sinks, and dropped when it was overwritten by a newer one or left behind at the end.

    Attributes:
        ending: why the session ended.
        complete: everything that was asked for was done: the recording was read to its end (or to the frame limit), or
            the live session was stopped; and nothing raised.
        error: one line, empty when nothing went wrong.
        corrupt: pieces of the input that could not be decoded.
        duration: seconds from the first frame asked for to the last pose.
        stages: capture, wait, region, inference, processors, sinks, and latency from capture to the finished pose.
    """

    source: str
    runtime: str
    device: str
    ending: Ending
    complete: bool
    error: str
    frames_read: int
    processed: int
    dropped: int
    corrupt: int
    duration: float
    stages: tuple[StageTimes, ...]
    sinks: tuple[SinkResult, ...]

    @property
    def fps(self) -> float:
        """Frames processed per second of the whole run."""
        return self.processed / self.duration if self.duration > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = asdict(self)
        values["fps"] = self.fps
        for sink in values["sinks"]:
            sink["outputs"] = [str(path) for path in sink["outputs"]]
        return values
