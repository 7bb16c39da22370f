"""Where receivers find a stream, said once."""

from __future__ import annotations

import sys

from dlclive_core import RunInfo, printable


def tell(run: RunInfo, where: str) -> None:
    """Print it on standard error, as displays do with their address."""
    sys.stderr.write(f"poses{' of ' if run.name else ''}{printable(run.name)}: {printable(where)}\n")
