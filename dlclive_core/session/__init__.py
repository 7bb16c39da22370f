"""A session: frames in, poses out, everything counted."""

from dlclive_core.session.report import SessionReport, SinkResult
from dlclive_core.session.session import Session
from dlclive_core.session.timing import StageTimes

__all__ = ["Session", "SessionReport", "SinkResult", "StageTimes"]
