"""Which losses make a run that came to its end a failed one."""

from __future__ import annotations

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError
from dlclive_core.session import SessionReport


def what_was_lost(report: SessionReport, source: FrameSource) -> DataError | None:
    """A session that came to its end and still lost data that was to be kept: a sink that failed, a file without some of
    the frames, a recording that is damaged. What a live source gives too fast for the model, or loses itself, is counted
    and no failure, and so is what a display leaves out.
    """
    for sink in report.sinks:
        if sink.error:
            return DataError(f"{sink.sink} stopped after {sink.written} frames: {sink.error}")
    for sink in report.sinks:
        if sink.dropped and sink.outputs:
            name = sink.outputs[0].name
            return DataError(
                f"{name} is without {sink.dropped} of {sink.written + sink.dropped} frames: its sink was too slow"
            )
    if report.corrupt and not source.is_live:
        return DataError(
            f"{source.name} is damaged: {report.corrupt} pieces could not be decoded, {report.processed} frames could"
        )
    return None
