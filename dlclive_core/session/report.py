"""The report of a session, as values that can be printed and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dlclive_core.data.stage_times import StageTimes
from dlclive_core.session.events import Event

Ending = Literal["end of source", "frame limit", "stopped", "sinks failed", "error"]


@dataclass(frozen=True, slots=True)
class SinkResult:
    """The result of one sink.

    Attributes:
        error: one line; empty if nothing failed.
        statistics: the sink's own counts and measurements, see `Sink.statistics`.
    """

    sink: str
    written: int
    dropped: int
    finished: bool
    error: str
    outputs: tuple[Path, ...]
    write: StageTimes
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessorResult:
    """The result of one processor. Failures are those that `Tolerant` allowed.

    Attributes:
        failures: poses passed on unchanged because the processor raised.
        disabled: the processor was closed after it raised.
        error: the first error, as one line; empty if nothing failed.
        statistics: the processor's own counts and measurements, see `Processor.statistics`.
    """

    processor: str
    failures: int = 0
    disabled: bool = False
    error: str = ""
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drops:
    """Frames that were read but not processed, by cause.

    Attributes:
        slot: overwritten by a newer frame before the model was free.
        left: still waiting when the session ended.
        failed: the model or a processor raised.
    """

    slot: int = 0
    left: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.slot + self.left + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """The report of a session.

    `frames_read == processed + dropped` always holds: a frame is read when `FrameSource.read` returns it, processed when
    its pose goes to the sinks, and otherwise dropped; `drops` gives the cause. `sinks` counts what each sink did not write.

    Attributes:
        name: the session's name; by default the source's name.
        started_at: wall time when the run began. All other times are on `time.perf_counter()`.
        ending: why the session ended.
        complete: the recording was read to its end (or to the frame limit), or the live session was stopped; and nothing
            raised.
        error: one line, empty if nothing failed.
        corrupt, skipped, lost, reconnects: the source's counters, see FrameSource.
        stalls, longest_stall: how often frames were overdue (state "stale"), and the longest such time in seconds.
        duration: seconds from the request for the first frame to the last pose.
        batch: frames per call of the model.
        unlike: processed frames that the model says are unlike its training (`Pose.is_unlike`); 0 for a model that does not
            tell. Those that a fallback answered are counted, too.
        model_statistics: the model's own counts and measurements, see `PoseModel.statistics`.
        stages: capture (including the wait for the source), wait (from capture until the loop takes the frame), region,
            inference (a frame's share of its batch), processors, sinks (the handover only). Two more count from capture:
            age, until inference begins, and latency, until the processors are done.
        events: unusual events, at most the first thousand; `events_omitted` counts the rest.
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
    unlike: int
    model_statistics: Mapping[str, float]
    stages: tuple[StageTimes, ...]
    processors: tuple[ProcessorResult, ...]
    sinks: tuple[SinkResult, ...]
    events: tuple[Event, ...]
    events_omitted: int

    @property
    def fps(self) -> float:
        """Frames processed per second, over the entire run."""
        return self.processed / self.duration if self.duration > 0 else 0.0

    def stage(self, name: str) -> StageTimes:
        """The times of one stage. Raises KeyError."""
        times = {stage.stage: stage for stage in self.stages}
        return times[name]

    def to_dict(self) -> dict[str, Any]:
        """The report as values for JSON."""
        values = asdict(self)
        values["fps"] = self.fps
        values["started_at"] = self.started_at.isoformat()
        for sink in values["sinks"]:
            sink["outputs"] = [str(path) for path in sink["outputs"]]
        return values
