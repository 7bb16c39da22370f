"""What to say of frames that are unlike what a student was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dlclive_core.session import SessionReport


def unlike_in_words(report: SessionReport) -> str:
    """One line on the frames that are unlike the training, and on who answered them; empty if there are none."""
    count, total = report.unlike, report.processed
    if not count:
        return ""
    if count < total:
        line = f"{count} of {total} frames are unlike what the student was trained on"
    else:
        line = (
            f"all {total} frames are unlike what the student was trained on: this may be another rig, or another camera"
        )
    answered = report.model_statistics.get("teacher_frames")
    if answered is None:
        return f"{line}; --fallback TEACHER answers such frames by its teacher"
    return f"{line}; the fallback answered {answered:g} frames"


def known(statistics: Mapping[str, float]) -> dict[str, float]:
    """The statistics that are known: the time of what was never called is NaN."""
    return {name: value for name, value in statistics.items() if not math.isnan(value)}
