"""Which losses make a session that ran to its end a failed one."""

from __future__ import annotations

from dlclive_core.components import FrameSource
from dlclive_core.errors import DataError
from dlclive_core.session import SessionReport


def lost_data(report: SessionReport, source: FrameSource) -> DataError | None:
    """The error for data that should have been kept: a failed sink, frames missing from a file, a damaged recording.

    Frames that a live source delivers faster than the model runs, or loses itself, are counted but are not an error;
    neither are frames that a display skips.
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
            f"{source.name} is damaged: {report.corrupt} pieces could not be decoded; {report.processed} frames were "
            "processed, and tables have empty rows for the lost ones"
        )
    return None
