"""Reads the names in pandas' attributes, which PyTables has pickled: lists, tuples, mappings, text and numbers alone."""

from __future__ import annotations

import pickle
import pickletools
from typing import Any

from dlclive_core import DataError

LONGEST = 8 << 20
"""Bytes. HDF5 keeps attributes of 64 KB, and longer ones elsewhere."""

_MARK = object()
_EMPTY: dict[str, Any] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_VALUES = frozenset("UNICODE SHORT_BINUNICODE BINUNICODE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT".split())
_BYTES = frozenset("STRING SHORT_BINSTRING BINSTRING".split())  # text of Python 2
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def plain_value(data: Any) -> Any:
    """The value of an attribute that HDF5 holds as bytes; other values are returned as they are.

    No unpickler is used. The few instructions that make lists, tuples, mappings, text and numbers are carried out here: none
    of them can name a class or a function. Keys of mappings are text or numbers, and only these occur twice: otherwise some
    bytes could stand for a tree of any size, which takes for ever to print or to hash.

    Raises:
        DataError: it holds something else, or is damaged.
    """
    if not isinstance(data, bytes):
        return data
    if not data.endswith(pickle.STOP):  # text, as other programs than PyTables write it
        return data.decode("utf-8", "replace")
    if len(data) > LONGEST:
        raise DataError(f"an attribute has {len(data)} bytes; {LONGEST} is the most")
    try:
        return _Machine().run(data)
    except DataError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"it has a damaged pickle: {' '.join(str(error).split())[:100]}") from None


class _Machine:
    """The stack and the memory of a pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(data):
            self._step(opcode.name, argument)
        (value,) = self._stack
        return value

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _BYTES:
            stack.append(argument.encode("latin-1").decode("utf-8"))
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memory[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memory[len(self._memory)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(_plain(self._memory[argument]))
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(_whole(stack[-_TUPLES[name] :], _TUPLES[name]))]
        elif name == "TUPLE":
            stack.append(tuple(self._marked()))
        elif name == "LIST":
            stack.append(self._marked())
        elif name == "DICT":
            stack.append(_mapping(self._marked()))
        elif name == "APPEND":
            self._append(_whole([stack.pop()], 1))
        elif name == "APPENDS":
            self._append(self._marked())
        elif name in ("SETITEM", "SETITEMS"):
            items = self._marked() if name == "SETITEMS" else _whole([stack.pop(), stack.pop()][::-1], 2)
            self._set(items)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise DataError(f"it has a pickle with the instruction {name}, which could run a program; nothing was run")

    def _marked(self) -> list[Any]:
        """What stands above the last mark, which goes with it."""
        stack = self._stack
        place = len(stack) - 1
        while stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = stack[place + 1 :]
        del stack[place:]
        return items

    def _append(self, items: list[Any]) -> None:
        top = self._stack[-1]
        if type(top) is not list:
            raise ValueError("no list to append to")
        top.extend(items)

    def _set(self, items: list[Any]) -> None:
        top = self._stack[-1]
        if type(top) is not dict:
            raise ValueError("no mapping to add to")
        top.update(_mapping(items))


def _whole(items: list[Any], count: int) -> list[Any]:
    if len(items) != count or any(item is _MARK for item in items):
        raise ValueError("the stack is too short")
    return items


def _mapping(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(map(_plain, items[::2]), items[1::2], strict=True))


def _plain(value: Any) -> Any:
    """Text or a number; raises ValueError for what holds other values."""
    if isinstance(value, list | tuple | dict) or value is _MARK:
        raise ValueError("a list, tuple or mapping is used twice, or as a key")
    return value
