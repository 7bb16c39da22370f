"""What a recording that the user has stopped leaves, in one line."""

from __future__ import annotations

from dlclive_core.session import SessionReport


def stopped_line(what: str, report: SessionReport) -> str:
    """For example `mouse.mp4: stopped after 20 frames; results so far: mouse.h5.part; dlclive recover poses finishes them`."""
    files = sorted({path for sink in report.sinks for path in sink.outputs if path.exists()})
    line = f"{what}: stopped after {report.processed} frames; results so far: {', '.join(map(str, files)) or 'none'}"
    unfinished = [path for path in files if path.suffix == ".part"]
    return f"{line}; dlclive recover {unfinished[0].parent} finishes them" if unfinished else line
