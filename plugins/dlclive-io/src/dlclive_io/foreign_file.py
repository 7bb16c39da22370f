"""Errors of foreign files as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlclive_core import DataError, DLCLiveError


@contextmanager
def foreign_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what a library raises about a foreign file into a DataError of one line: `PATH cannot be read as WHAT: ...`.

    Whatever it is: a damaged file may raise anything in a parser. Errors of ours and MemoryError pass.
    """
    try:
        yield
    except (DLCLiveError, MemoryError):
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read as {what}: {_line(error.strerror or error)}") from None
    except Exception as error:
        raise DataError(f"{path} cannot be read as {what}: {_line(error) or type(error).__name__}") from None


def _line(text: object) -> str:
    return " ".join(str(text).split())[:200]
