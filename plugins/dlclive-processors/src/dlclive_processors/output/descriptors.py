"""File descriptors that avoid standard input, output and error."""

from __future__ import annotations

import os
import sys

_FIRST = 3


def pipe() -> tuple[int, int]:
    """Create a pipe; neither its reading nor its writing end is 0, 1 or 2.

    If a program runs without stdin or stdout, new descriptors get these numbers: a child's standard streams would then
    replace the pipe, and printed text would end up in it.
    """
    reading, writing = os.pipe()
    return above_standard(reading), above_standard(writing)


def above_standard(descriptor: int) -> int:
    """The descriptor, or, if it is 0, 1 or 2, a duplicate with a higher number that replaces it. Not inherited."""
    if sys.platform == "win32" or descriptor >= _FIRST:
        return descriptor
    else:
        import fcntl

        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST)
        os.close(descriptor)
        return moved


def is_open(descriptor: int) -> bool:
    """Whether a descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
