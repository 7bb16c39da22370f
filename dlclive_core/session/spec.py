"""The parts and settings of a session, as passed to the code that runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.data.frame import Frame
from dlclive_core.regions import Chain
from dlclive_core.session.batch_size import Batch
from dlclive_core.session.handoff import Handoff
from dlclive_core.session.source_facts import source_name


class StopRequest:
    """A request to stop a session. Any thread or signal handler may set it; it holds no lock.

    Attributes:
        is_set: True after the request.
        is_spent: the run that it was for is over; the next run needs a new one.
    """

    def __init__(self) -> None:
        self.is_set = False
        self.is_spent = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """The parts and settings of a `Session` at its start; `Session` documents each one.

    Attributes:
        custom_name: the name chosen by the user, or "".
        stop: the request to stop.
        handoff: makes the queue between source and loop, given the loop's condition. None: what suits the source.
        pace: called before each frame is read, with the most seconds to wait; False: not to be read yet. None: always.
    """

    source: FrameSource
    model: PoseModel
    processors: tuple[Processor, ...]
    sinks: tuple[Sink, ...]
    region: Chain
    max_frames: int | None
    batch: Batch
    queue_size: int | None
    deadline: float
    stale_after: float | None
    custom_name: str
    stop: StopRequest = field(compare=False)
    handoff: Callable[[threading.Condition], Handoff[Frame]] | None = field(default=None, compare=False)
    pace: Callable[[float], bool] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The custom name, or the source's name, which may be known only once the source is open."""
        return self.custom_name or source_name(self.source)
