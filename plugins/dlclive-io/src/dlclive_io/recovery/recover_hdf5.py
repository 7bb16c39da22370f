"""Recovery of HDF5 tables: they are rebuilt from their journals."""

from __future__ import annotations

import os
from pathlib import Path

import tables

from dlclive_core import DataError, RecoveredFile
from dlclive_io.output_file import reason
from dlclive_io.tables.hdf5_table import KEY, Hdf5Table
from dlclive_io.tables.pose_journal import JournalContent, journal_of, remove_journal
from dlclive_io.tables.row_blocks import RowBlocks
from dlclive_io.tables.table_layout import TableLayout

_BLOCK = 256  # rows


def recover_hdf5(part: Path, final: Path) -> RecoveredFile:
    """Replace the `.part` with a complete table. One without a journal was closed properly; its rows are only counted.

    Raises DataError if neither table nor journal can be read.
    """
    journal = journal_of(final)
    if not journal.exists():
        return RecoveredFile(path=final, kind="poses", rows=_rows(part), note="closed properly; nothing is lost")
    content = JournalContent(journal)
    draft = part.with_name(part.name + ".new")
    try:
        rows = _write(draft, content)
        if _rows(draft) != rows:
            raise DataError(f"{part} could not be rebuilt; it and its journal are unchanged")
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(part)
    finally:
        draft.unlink(missing_ok=True)
    remove_journal(journal)  # all its rows are in the table, as just counted
    note = "rebuilt from the journal; up to 0.2 s before the crash may be lost"
    return RecoveredFile(path=final, kind="poses", rows=rows, seconds=content.seconds, note=note)


def _write(path: Path, content: JournalContent) -> int:
    """Write all rows of a journal; return the number of rows in the table."""
    layout = TableLayout(content.card)
    table = Hdf5Table(path, layout)
    try:
        blocks = RowBlocks(len(layout.columns), table.append, _BLOCK)
        for number, row in content.frames():
            blocks.add(number, row)
        blocks.flush()
    finally:
        table.close()
    return blocks.next


def _rows(path: Path) -> int:
    """Number of rows of a consistent table. Raises DataError if it cannot be read."""
    try:
        with tables.open_file(str(path)) as file:
            group = file.root[KEY]
            index, values = len(group.axis1), len(group.block0_values)
            if index != values:
                raise DataError(f"{path} is inconsistent: {index} frame numbers for {values} rows")
            return index
    except (tables.HDF5ExtError, tables.NoSuchNodeError, OSError) as error:
        raise DataError(f"{path} cannot be read as HDF5: {reason(error).splitlines()[0][:200]}") from None
