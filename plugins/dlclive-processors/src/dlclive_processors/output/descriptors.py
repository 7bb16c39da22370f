"""Descriptors that stay clear of standard input, output and error."""

from __future__ import annotations

import os

_FIRST = 3


def pipe() -> tuple[int, int]:
    """A pipe's reading and writing end, neither of them 0, 1 or 2.

    Where a program runs without stdin or stdout, new descriptors get these numbers: a child's standard streams would then
    replace the pipe, and whatever prints would write into it.
    """
    reading, writing = os.pipe()
    return above_standard(reading), above_standard(writing)


def above_standard(descriptor: int) -> int:
    """The descriptor, or, if it is 0, 1 or 2, a duplicate with a higher number that replaces it. Not inherited."""
    if descriptor >= _FIRST:
        return descriptor
    import fcntl  # here, because Windows has none

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
