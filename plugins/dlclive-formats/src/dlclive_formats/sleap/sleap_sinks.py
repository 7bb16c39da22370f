"""The sinks that write SLEAP's files when the session ends."""

from __future__ import annotations

from pathlib import Path

from dlclive_formats.session.format_sink import FormatSink
from dlclive_formats.sleap import sleap_csv_format, sleap_format


class SleapSink(FormatSink):
    """Writes poses as SLEAP Analysis HDF5, as `SleapFormat`.

    Args:
        path: ends in .analysis.h5.
        overwrite: replace an existing file.
    """

    format, suffixes = "sleap", (sleap_format.SUFFIX,)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        super().__init__(path, sleap_format.SleapFormat, overwrite=overwrite)


class SleapCsvSink(FormatSink):
    """Writes poses as SLEAP's CSV, as `SleapCsvFormat`.

    Args:
        path: ends in .analysis.csv.
        overwrite: replace an existing file.
    """

    format, suffixes = "sleap-csv", (sleap_csv_format.SUFFIX,)

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        super().__init__(path, sleap_csv_format.SleapCsvFormat, overwrite=overwrite)
