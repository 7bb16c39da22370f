"""The poses of a session, from its journal, as a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from dlclive_io import JournalContent, TableLayout

from dlclive_core import PoseRecording, PoseRows, RecordingInfo, RunInfo, split_rows
from dlclive_formats.rows import BLOCK


class RunRecording(PoseRecording):
    """What a journal holds.

    Args:
        content: of the journal.
        frame_count: number of the last frame plus 1; None: the journal is read once to find it.
    """

    def __init__(self, content: JournalContent, frame_count: int | None = None) -> None:
        self._content = content
        self._columns = len(TableLayout(content.card, content.dimensions).columns)
        self.info = _info_of_header(content)
        self.rows = 0
        if frame_count is None:
            frame_count = 0
            for number, _ in content.frames(self._columns):
                frame_count, self.rows = number + 1, self.rows + 1
        self.frame_count = frame_count

    @property
    def damage(self) -> str:
        """What could not be read."""
        return self._content.damage

    def blocks(self) -> Iterator[PoseRows]:
        """Yield the frames in order. Raises DataError."""
        numbers, seconds, values = [], [], []
        for number, captured, row in self._content.timed_frames(self._columns):
            numbers.append(number)
            seconds.append(captured)
            values.append(row)
            if len(numbers) == BLOCK:
                yield self._block(numbers, seconds, values)
                numbers, seconds, values = [], [], []
        if numbers:
            yield self._block(numbers, seconds, values)

    def _block(self, numbers: list[int], seconds: list[float], values: list[Any]) -> PoseRows:
        rows = np.asarray(values, np.float64).reshape(len(numbers), self._columns)
        return split_rows(np.asarray(numbers, np.int64), np.asarray(seconds, np.float64), rows, self.info)


def info_of_run(run: RunInfo) -> RecordingInfo:
    """A session's description as that of its recording.

    The times of a video are those in the video; when it was filmed is not known, and when it was analysed says nothing.
    """
    return RecordingInfo(
        card=run.card if run.card.multi_animal else run.card.with_(individuals=run.card.individuals[:1]),
        source=run.source,
        frame_size=run.frame_size,
        fps=run.fps,
        has_times=True,
        started_at=run.started_at if run.is_live else None,
        dimensions=run.dimensions,
        unit=run.unit,
    )


def _info_of_header(content: JournalContent) -> RecordingInfo:
    header: Mapping[str, Any] = content.header
    size, fps, card = header.get("frame_size"), header.get("fps"), content.card
    return RecordingInfo(
        card=card if card.multi_animal else card.with_(individuals=card.individuals[:1]),
        source=str(header.get("source") or ""),
        frame_size=(int(size[0]), int(size[1])) if isinstance(size, list) and len(size) == 2 else None,
        fps=float(fps) if isinstance(fps, int | float) and 0 < fps < 1e9 else None,
        has_times=True,
        started_at=_moment(header.get("started_at")) if header.get("is_live") else None,
        dimensions=content.dimensions,
        unit=str(header.get("unit") or "px"),
    )


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
