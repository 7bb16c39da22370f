"""What happened in a session, as values that can be printed and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dlclive_core.session.events import Event
from dlclive_core.session.stage_times import StageTimes

Ending = Literal["end of source", "frame limit", "stopped", "sinks failed", "error"]


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


@dataclass(frozen=True, slots=True)
class ProcessorResult:
    """What became of one processor, which may have failed where it was said that it may (see `Tolerant`).

    Attributes:
        failures: how many poses passed unchanged because it raised.
        disabled: it was closed after it raised.
        error: the first one, as one line; empty when nothing went wrong.
        statistics: what it counted and measured itself, see `Processor.statistics`.
    """

    processor: str
    failures: int = 0
    disabled: bool = False
    error: str = ""
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drops:
    """Frames that were read and not processed, by the place where they were lost.

    Attributes:
        slot: overwritten by a newer frame before the model was free.
        left: left behind when the session ended.
        failed: the model or a processor raised at it.
    """

    slot: int = 0
    left: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.slot + self.left + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """What happened in a session.

    `frames_read == processed + dropped`, always: a frame was read when `FrameSource.read` returned it, processed when its
    pose went to the sinks, and dropped in one of the places that `drops` names. What a sink did not write, `sinks` says.

    Attributes:
        name: what the session is called; the source's name unless it was given one.
        started_at: wall time when the run began, the only one; all other times are on `time.perf_counter()`.
        ending: why the session ended.
        complete: everything that was asked for was done: the recording was read to its end (or to the frame limit), or
            the live session was stopped; and nothing raised.
        error: one line, empty when nothing went wrong.
        corrupt, skipped, lost, reconnects: what the source counted, see FrameSource.
        stalls, longest_stall: how often frames did not come when they should have (state "stale"), and for how many
            seconds at most.
        duration: seconds from the first frame asked for to the last pose.
        batch: how many frames went through the model at once.
        stages: capture (waiting for the source included), wait (from the capture until the loop takes the frame), region,
            inference (of a batch, a frame's share), processors, sinks (handing over); and from the capture on, age when
            inference began, and latency when the processors were done.
        events: what was out of the ordinary, at most the first thousand; `events_omitted` came after these.
    """

    name: str
    source: str
    runtime: str
    device: str
    started_at: datetime
    ending: Ending
    complete: bool
    error: str
    frames_read: int
    processed: int
    dropped: int
    drops: Drops
    corrupt: int
    skipped: int
    lost: int
    reconnects: int
    stalls: int
    longest_stall: float
    duration: float
    batch: int
    stages: tuple[StageTimes, ...]
    processors: tuple[ProcessorResult, ...]
    sinks: tuple[SinkResult, ...]
    events: tuple[Event, ...]
    events_omitted: int

    @property
    def fps(self) -> float:
        """Frames processed per second of the whole run."""
        return self.processed / self.duration if self.duration > 0 else 0.0

    def stage(self, name: str) -> StageTimes:
        """The times of one stage. Raises KeyError."""
        times = {stage.stage: stage for stage in self.stages}
        return times[name]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = asdict(self)
        values["fps"] = self.fps
        values["started_at"] = self.started_at.isoformat()
        for sink in values["sinks"]:
            sink["outputs"] = [str(path) for path in sink["outputs"]]
        return values
