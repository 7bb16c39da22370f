"""What a session is made of, as values: all that the code which runs it needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.regions import Chain
from dlclive_core.session.batch_size import Batch


class StopRequest:
    """Whether a session has been asked to stop. Any thread or signal handler may set it; it holds no lock.

    Attributes:
        is_set: True from the request on. A stopped session stays stopped.
    """

    def __init__(self) -> None:
        self.is_set = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """The parts and settings of a `Session`, as they are when it starts; see there for what each one means.

    Attributes:
        given_name: the name that the user gave, or "".
        stop: set when the session is to stop.
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
    given_name: str
    stop: StopRequest = field(compare=False)

    @property
    def name(self) -> str:
        """The given name, or that of the source, which may be known only once it is open."""
        return self.given_name or self.source.name or type(self.source).__name__
