"""Reads HDF5 files of others: PyTables would unpickle what is written in them, and so run a stranger's program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tables


class _NoPickle:
    """In the place of the module `pickle`: nothing is unpickled."""

    @staticmethod
    def loads(*_: Any, **__: Any) -> Any:
        raise ValueError("an attribute of the file is pickled, and stays so")


@contextmanager
def without_unpickling() -> Iterator[None]:
    """PyTables unpickles attributes of a file when it opens a node; in this block it returns them as bytes."""
    module: Any = tables.attributeset
    pickle, module.pickle = module.pickle, _NoPickle
    try:
        yield
    finally:
        module.pickle = pickle
