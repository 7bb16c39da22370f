"""A session: frames in, poses out, everything counted."""

from dlclive_core.data.progress import Progress, State
from dlclive_core.data.stage_times import StageTimes
from dlclive_core.session.array_processor import ArrayProcessor
from dlclive_core.session.batch_size import Batch
from dlclive_core.session.events import Event
from dlclive_core.session.replay_loop import ReplayLoop, replay
from dlclive_core.session.report import Drops, ProcessorResult, SessionReport, SinkResult
from dlclive_core.session.rig import Rig
from dlclive_core.session.session import Session
from dlclive_core.session.tolerant import Tolerant

__all__ = [
    "ArrayProcessor",
    "Batch",
    "Drops",
    "Event",
    "ProcessorResult",
    "Progress",
    "ReplayLoop",
    "Rig",
    "Session",
    "SessionReport",
    "SinkResult",
    "StageTimes",
    "State",
    "Tolerant",
    "replay",
]
