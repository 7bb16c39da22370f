"""Reads HDF5 files of others: PyTables would unpickle what is written in them, and so run a stranger's program."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tables
import tables.atom
import tables.attributeset

_guard = threading.local()


class _GuardedPickle:
    """In the place of the module `pickle` in PyTables: loads nothing in a thread that is inside `without_unpickling`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(pickle, name)

    @staticmethod
    def loads(*arguments: Any, **options: Any) -> Any:
        if getattr(_guard, "depth", 0):
            raise ValueError("what is pickled in the file stays so")
        return pickle.loads(*arguments, **options)  # noqa: S301 - a file of the user's own, as without this module


for _module in (tables.attributeset, tables.atom):
    _module.pickle = _GuardedPickle()  # once, and for good: other threads may be reading or writing files of their own


@contextmanager
def without_unpickling() -> Iterator[None]:
    """In this block, this thread unpickles nothing of an HDF5 file; attributes that are pickled are returned as bytes.

    A generator must not yield inside it: what its caller does meanwhile would be guarded, too.
    """
    _guard.depth = getattr(_guard, "depth", 0) + 1
    try:
        yield
    finally:
        _guard.depth -= 1
