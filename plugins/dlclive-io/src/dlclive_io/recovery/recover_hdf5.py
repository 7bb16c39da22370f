"""Recovery of HDF5 tables: they are rebuilt from their journals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import tables

from dlclive_core import DataError, RecoveredFile, draft_beside
from dlclive_io.output_file import reason
from dlclive_io.tables.hdf5_file import KEY
from dlclive_io.tables.journal_content import JournalContent
from dlclive_io.tables.no_pickle import without_unpickling
from dlclive_io.tables.open_table import open_hdf5
from dlclive_io.tables.pose_journal import journal_of, remove_journal
from dlclive_io.tables.row_blocks import RowBlocks, Values
from dlclive_io.tables.table_layout import TableLayout

_BLOCK = 256  # rows


def recover_hdf5(part: Path, final: Path) -> RecoveredFile:
    """Replace the `.part` with a complete table. One without a journal was closed properly; its rows are only counted.

    Rows of the journal that are damaged are left out, and stay in it. Raises DataError if neither table nor journal can be
    read.
    """
    journal = journal_of(final)
    if not os.path.lexists(journal):
        return RecoveredFile(path=final, kind="poses", rows=_frames(part), note="closed properly; nothing is lost")
    content = JournalContent(journal)
    draft = draft_beside(part)
    try:
        rows, frames = _write(draft, content)
        if _rows(draft) != rows:
            raise DataError(f"{part} could not be rebuilt; it and its journal are unchanged")
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(part)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    note = "rebuilt from the journal; up to 0.2 s before the crash may be lost"
    if content.damage:
        note += f"; {content.damage}, which is kept as {journal.name}"
    else:
        remove_journal(journal)  # all its rows are in the table, as just counted
    return RecoveredFile(path=final, kind="poses", rows=frames, seconds=content.seconds, note=note)


def _write(path: Path, content: JournalContent) -> tuple[int, int]:
    """Write all rows of a journal; return the number of rows in the table, and of those with a pose."""
    layout = TableLayout(content.card, content.dimensions)
    table = open_hdf5(path, layout)
    written = frames = 0

    def append(first: int, rows: Values) -> None:
        nonlocal written
        table.append(first, rows)
        written += len(rows)

    try:
        blocks = RowBlocks(len(layout.columns), append, _BLOCK)
        for number, row in content.frames(len(layout.columns)):
            blocks.add(number, row)
            frames += 1
        blocks.flush()
        table.finish()
    finally:
        table.close()
    return written, frames


def _rows(path: Path) -> int:
    """Number of rows of a consistent table. Raises DataError if it cannot be read."""
    with _opened(path) as group:
        if "table" in group:
            return len(group.table)
        index, values = len(group.axis1), len(group.block0_values)
        if index != values:
            raise DataError(f"{path} is inconsistent: {index} frame numbers for {values} rows")
        return index


def _frames(path: Path) -> int:
    """Number of rows with a pose. Raises DataError as `_rows`."""
    rows = _rows(path)
    with _opened(path) as group:
        frames = 0
        for start in range(0, rows, _BLOCK):
            part = slice(start, start + _BLOCK)
            values = group.table[part]["values_block_0"] if "table" in group else group.block0_values[part]
            frames += int(np.isfinite(values).any(axis=1).sum())
        return frames


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The group of a table. Raises DataError if it cannot be read."""
    try:
        with without_unpickling(), tables.open_file(str(path)) as file:
            yield file.root[KEY]
    except (tables.HDF5ExtError, tables.NoSuchNodeError, OSError) as error:
        raise DataError(f"{path} cannot be read as HDF5: {reason(error).splitlines()[0][:200]}") from None
