"""Decides which data losses make a completed session a failure."""

from __future__ import annotations

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError
from dlclive_core.session import SessionReport
from dlclive_core.text.counted import counted


def lost_data(report: SessionReport, source: FrameSource) -> DataError | None:
    """The error for lost data: a failed sink, frames missing from a file, or a damaged recording.

    Frames dropped because the model is slower than a live source, frames lost by the source itself, and frames skipped by
    a display are counted but are not errors.
    """
    for sink in report.sinks:
        if sink.error:
            return DataError(f"{sink.sink} stopped after {sink.written} frames: {sink.error}")
    for sink in report.sinks:
        if sink.dropped and sink.outputs:
            total = sink.written + sink.dropped
            return DataError(
                f"{sink.outputs[0].name}: {sink.dropped} of {total} frames are missing: the sink was too slow"
            )
    if report.corrupt and not source.is_live:
        return DataError(
            f"{source.name} is damaged: {counted(report.corrupt, 'piece')} could not be decoded; {report.processed} frames "
            "were processed; tables have empty rows for those lost between them, and end where the file does"
        )
    return None
