"""Keeps the stack on which the calling thread handles signals.

Seen with openvino 2026: after its CPU plugin is loaded, `sigaltstack` of the loading thread is another one, of OpenVINO's.
If the network is then unloaded in another thread, that stack is gone but still set, and the next signal, such as Ctrl-C,
ends the process with SIGSEGV.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """`stack_t` of Linux's signal.h."""

    _fields_ = (("ss_sp", ctypes.c_void_p), ("ss_flags", ctypes.c_int), ("ss_size", ctypes.c_size_t))


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Give the calling thread back its signal stack, or none, after the block. Does nothing outside Linux."""
    if sys.platform == "linux":
        libc, before = ctypes.CDLL(None), _Stack()
        libc.sigaltstack(None, ctypes.byref(before))
        try:
            yield
        finally:
            libc.sigaltstack(ctypes.byref(before), None)
    else:
        yield
