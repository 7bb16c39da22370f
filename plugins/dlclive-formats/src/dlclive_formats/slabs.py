"""Dense rows in pieces of one size, as chunked files are written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlclive_core import PoseRecording, PoseRows, RecordingInfo
from dlclive_formats.rows import dense_blocks

_ROWS = 2048
_BYTES = 32 << 20


def slab_rows(info: RecordingInfo) -> int:
    """Rows of a slab: 2048, fewer where rows are long, so that a slab stays below 32 MB."""
    card = info.card
    points = len(card.individuals) * len(card.skeleton) + len(card.unique_keypoints)
    return max(16, min(_ROWS, _BYTES // max(1, 8 * points * (info.dimensions + 1))))


def slabs(recording: PoseRecording, size: int) -> Iterator[tuple[int, PoseRows]]:
    """Yield (first frame, rows) of `size` frames each, without gaps; the last may be shorter. Raises DataError."""
    held: list[PoseRows] = []
    count = start = 0
    for rows in dense_blocks(recording):
        held.append(rows)
        count += len(rows)
        while count >= size:
            whole = _joined(held)
            yield start, _part(whole, 0, size)
            start, count = start + size, count - size
            held = [_part(whole, size, len(whole))] if count else []
    if count:
        yield start, _joined(held)


def _joined(held: list[PoseRows]) -> PoseRows:
    if len(held) == 1:
        return held[0]
    return PoseRows(
        np.concatenate([rows.numbers for rows in held]),
        np.concatenate([rows.seconds for rows in held]),
        np.concatenate([rows.keypoints for rows in held]),
        np.concatenate([rows.unique for rows in held]),
    )


def _part(rows: PoseRows, start: int, stop: int) -> PoseRows:
    return PoseRows(
        rows.numbers[start:stop], rows.seconds[start:stop], rows.keypoints[start:stop], rows.unique[start:stop]
    )
