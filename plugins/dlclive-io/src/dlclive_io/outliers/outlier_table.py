"""The table of kept frames, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from dlclive_io.outliers.kept_frame import PICTURE, KeptFrame

COLUMNS = ("frame", "seconds", "wall_time", "reason", "score", "mean_confidence", "image")


def table_text(frames: Iterable[KeptFrame]) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for kept in frames:
        confidence = kept.pose.confidence
        mean = f"{confidence.mean():.4f}" if confidence.size else ""
        writer.writerow(
            (
                kept.frame,
                f"{kept.seconds:.6f}",
                kept.wall_time,
                kept.reason,
                f"{kept.score:.4f}",
                mean,
                kept.name + PICTURE,
            )
        )
    return text.getvalue()
