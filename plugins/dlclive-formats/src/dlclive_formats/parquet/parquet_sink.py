"""The sink that writes a Parquet table when the session ends."""

from __future__ import annotations

from pathlib import Path

from dlclive_formats.parquet.parquet_format import SUFFIX, ParquetFormat
from dlclive_formats.session.format_sink import FormatSink


class ParquetSink(FormatSink):
    """Writes poses as a tidy table, as `ParquetFormat`.

    Args:
        path: ends in .parquet.
        overwrite: replace an existing file.
    """

    format, suffixes = "parquet", (SUFFIX,)
    dimensions = (2, 3)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        super().__init__(path, ParquetFormat, overwrite=overwrite)
