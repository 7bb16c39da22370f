"""Starts the programs of this package that are killed or that hang, each in its own process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

HOST_ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")])),
}
"""The environment of this process, with the root of the repository in the module path."""


def host_command(module: str, *arguments: object) -> list[str]:
    """The command that runs a module of `tools.faults` as a program."""
    return [sys.executable, "-m", f"tools.faults.{module}", *map(str, arguments)]
