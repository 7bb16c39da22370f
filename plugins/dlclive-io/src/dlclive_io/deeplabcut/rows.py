"""Rows of a table, before it is known which column is what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording
from dlclive_io.deeplabcut.columns import Columns
from dlclive_io.deeplabcut.labelled_images import MOST_LABELS, frames_of_images
from dlclive_io.tables.row_blocks import LAST_NUMBER

BLOCK = 256
"""Rows of a block."""
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table.

    Attributes:
        index: (n,) frame numbers, or n names of images.
        values: (n, columns) float64.
    """

    index: NDArray[np.int64] | list[str]
    values: NDArray[np.float64]


def rows_of_block(columns: int) -> int:
    """How many rows are read at once, so that wide tables take no more memory."""
    return max(1, min(BLOCK, _BLOCK_BYTES // (8 * columns)))


def recording_of(path: Path, columns: Columns, read: Callable[[], Iterator[Block]], last: int | None) -> PoseRecording:
    """The recording of a table.

    Args:
        read: begins to read the rows.
        last: the number of the last row; None: rows are labelled images, which are sorted by their numbers.

    Raises:
        DataError: the images have no numbers, or are too many to sort.
    """
    if last is not None:
        return ReadRecording(columns.info, last + 1, lambda: _in_order(path, columns, read()))
    images: list[str] = []
    values = []
    for block in read():
        images += [str(name) for name in block.index]
        values.append(block.values)
        if len(images) > MOST_LABELS:
            raise DataError(f"{path} has more than {MOST_LABELS} labelled images")
    numbers, video = frames_of_images(path, images)
    order = np.argsort(numbers)
    table = np.concatenate(values)[order] if values else np.empty((0, 0))
    rows = [
        columns.rows(numbers[order][at : at + BLOCK], table[at : at + BLOCK]) for at in range(0, len(numbers), BLOCK)
    ]
    count = int(numbers.max()) + 1 if len(numbers) else 0
    return ReadRecording(columns.info.with_(source=video), count, lambda: iter(rows))


def check_number(path: Path, number: int) -> int:
    """A frame number. Raises DataError if it cannot be one."""
    if not 0 <= number < LAST_NUMBER:
        raise DataError(f"{path} has a row with the number {number}, which is not that of a frame")
    return number


def _in_order(path: Path, columns: Columns, blocks: Iterator[Block]) -> Iterator[PoseRows]:
    last = -1
    for block in blocks:
        numbers = np.asarray(block.index, np.int64)
        steps = np.diff(numbers, prepend=last)
        if len(numbers) and (steps <= 0).any():
            at = int(np.argmax(steps <= 0))
            check_number(path, int(numbers[at]))
            raise DataError(f"{path}: frame {int(numbers[at])} comes after frame {int(numbers[at] - steps[at])}")
        if len(numbers):
            last = check_number(path, int(numbers[-1]))
        rows = columns.rows(numbers, block.values)
        if len(rows):
            yield rows
