"""A pickle reader whose time and memory are bounded by constants, whatever the pickle asks for.

A pickle is a program. A few bytes of it can ask for a table of 2 GB (the number of a memo entry), for an object that takes
forever to hash (tuples that hold the same tuple twice, forty levels deep), or for a million copies of one text. The reader in
C cannot be stopped from that. This one is Python's own reader in Python, with these instructions restricted and counted;
what torch.save writes for the largest network takes it a few tenths of a second.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import IO, Any

import torch

from dlclive_torch.files.stand_ins import Call, NumpyType

MOST_BYTES = 8 << 20
"""Of a pickle. That of a network with its optimiser has about one million."""

MOST_STEPS = 500_000
"""Instructions of a pickle; a network with its optimiser has about 150 000."""

MOST_COPIED = 64 << 20
"""Bytes that the calls of a pickle are given, all together."""

_HASHED = (str, int, float, bytes, type(None), torch.dtype)
_HASHING = (dict, OrderedDict, Counter, set, frozenset)
_NEVER_WRITTEN = (
    pickle.PERSID, pickle.INST, pickle.OBJ, pickle.DUP, pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.BYTEARRAY8,
    pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
)  # fmt: skip
"""Instructions that no writer of tensors, numbers and text uses."""

_Base: Any = pickle._Unpickler  # type: ignore[attr-defined,unused-ignore]


class BoundedUnpickler(_Base):  # type: ignore[misc]
    """`pickle.Unpickler` with limits. Raises pickle.UnpicklingError where one is reached, and anything for damaged data."""

    def __init__(self, stream: IO[bytes], *, encoding: str) -> None:
        super().__init__(_LimitedStream(stream), encoding=encoding)
        self._copied = 0
        self.dispatch = _CountingTable(_DISPATCH)

    def load_reduce(self) -> None:
        """Call a stand-in, on arguments that it can neither copy too often nor hash for too long."""
        function, arguments = self.stack[-2:]
        if not isinstance(function, Call) or not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("a call of something that is no function")
        for argument in arguments:
            if isinstance(argument, str | bytes):
                self._copied += len(argument)
            elif isinstance(argument, list | tuple | dict | set | frozenset):
                self._copied += 16 * len(argument)
        if self._copied > MOST_COPIED:
            raise pickle.UnpicklingError(f"its calls take more than {MOST_COPIED >> 20} MiB of arguments")
        if function.makes(_HASHING):
            _check_items(arguments)
        super().load_reduce()

    def load_build(self) -> None:
        """Give a number's type its byte order; leave out the attributes of mappings, which reading does not need."""
        made = self.stack[-2]
        if isinstance(made, dict):
            self.stack.pop()
        elif isinstance(made, NumpyType | Call) or hasattr(type(made), "refuses_state"):
            super().load_build()
        else:
            raise pickle.UnpicklingError(f"a state for a {type(made).__name__}")

    def load_setitem(self) -> None:
        """Put an entry into a dict; its key is text or a number."""
        _check_key(self.stack[-2])
        super().load_setitem()

    def load_setitems(self) -> None:
        """The same for several entries."""
        for key in self.stack[::2]:  # what is above the mark
            _check_key(key)
        super().load_setitems()

    def load_dict(self) -> None:
        """Make a dict of entries."""
        for key in self.stack[::2]:
            _check_key(key)
        super().load_dict()

    def load_additems(self) -> None:
        """Add items to a set."""
        for key in self.stack:
            _check_key(key)
        super().load_additems()

    def load_frozenset(self) -> None:
        """Make a frozen set of items."""
        for key in self.stack:
            _check_key(key)
        super().load_frozenset()


class _LimitedStream:
    """What is read from a stream, up to a limit; never less than was asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, MOST_BYTES

    def read(self, count: int) -> bytes:
        if count > self._left:
            raise pickle.UnpicklingError(f"a pickle of more than {MOST_BYTES >> 20} MiB")
        self._left -= count
        data = self._stream.read(count)
        if len(data) < count:
            raise EOFError("it is cut off")
        return data

    def readline(self) -> bytes:
        line = self._stream.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise pickle.UnpicklingError(f"a pickle of more than {MOST_BYTES >> 20} MiB")
        return line


class _CountingTable:
    """The function of each instruction; looking one up counts a step."""

    def __init__(self, table: dict[int, Callable[..., None]]) -> None:
        self._table, self._left = table, MOST_STEPS

    def __getitem__(self, instruction: int) -> Callable[..., None]:
        self._left -= 1
        if self._left < 0:
            raise pickle.UnpicklingError(f"more than {MOST_STEPS} instructions")
        function = self._table.get(instruction)
        if function is None:
            raise pickle.UnpicklingError(f"the instruction {bytes([instruction])!r}")
        return function


def _check_key(key: object) -> None:
    if not isinstance(key, _HASHED):
        raise pickle.UnpicklingError(f"a {type(key).__name__} as key")


def _check_items(arguments: tuple[Any, ...]) -> None:
    """Of what is made into a dict or a set: the items, or the first of each pair, are text or numbers."""
    for argument in arguments:
        if isinstance(argument, dict | set | frozenset):
            continue  # its items were hashed already
        if not isinstance(argument, list | tuple):
            raise pickle.UnpicklingError(f"a dict or set made of a {type(argument).__name__}")
        for item in argument:
            _check_key(item[0] if isinstance(item, list | tuple) and len(item) == 2 else item)


def _dispatch() -> dict[int, Callable[..., None]]:
    table = dict(_Base.dispatch)
    for instruction in _NEVER_WRITTEN:
        del table[instruction[0]]
    ours = {
        pickle.REDUCE: BoundedUnpickler.load_reduce,
        pickle.BUILD: BoundedUnpickler.load_build,
        pickle.SETITEM: BoundedUnpickler.load_setitem,
        pickle.SETITEMS: BoundedUnpickler.load_setitems,
        pickle.DICT: BoundedUnpickler.load_dict,
        pickle.ADDITEMS: BoundedUnpickler.load_additems,
        pickle.FROZENSET: BoundedUnpickler.load_frozenset,
    }
    return table | {instruction[0]: function for instruction, function in ours.items()}


_DISPATCH = _dispatch()
