"""Imports of manufacturers' libraries, which are optional."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlclive_core import DependencyError, install_command


@contextmanager
def importing(source: str, library: str) -> Iterator[None]:
    """Turn an ImportError in the block into a DependencyError with the command that installs the library."""
    try:
        yield
    except ImportError as error:
        raise DependencyError(
            f"the source {source!r} needs {library}: {error}; run: {install_command(f'dlclive-cameras[{source}]')}"
        ) from error
