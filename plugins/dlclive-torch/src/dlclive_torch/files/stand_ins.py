"""Stand-ins for the names in a `.pt` file.

A pickle is a program that calls functions by name. Here each name that DeepLabCut's files use maps to a function of ours
that returns plain data: a tensor, a string, a number. The functions that the file names are never imported or called, so a
file can do nothing beyond this table.
"""

from __future__ import annotations

import math
import pickle
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor


class _Sealed:
    """Cannot be changed by a pickle: rejects the BUILD instruction, which sets attributes of any object."""

    __slots__ = ()
    refuses_state = True

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("an attempt to modify a stand-in")


class StorageType(_Sealed):
    """The type of the numbers in a storage: stands in for `torch.FloatStorage` and similar classes."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype


class Call(_Sealed):
    """Stands in for a function or class: a pickle can only call it with plain arguments."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def makes(self, kinds: tuple[type, ...]) -> bool:
        """Whether it is the constructor of one of these types."""
        return self._function in kinds


class NumpyType:
    """Stands in for `numpy.dtype`: plain numbers only. The byte order comes from the pickle's state."""

    def __init__(self, code: str, *_: object) -> None:
        if not isinstance(code, str) or len(code) > 4 or code[:1] not in "biufc":
            raise ValueError(f"a number of numpy type {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] == ">":
            self.dtype = self.dtype.newbyteorder(">")


def numpy_number(kind: NumpyType, data: bytes) -> float | int | bool | complex:
    """Return a numpy scalar as a Python number."""
    number: float | int | bool | complex = np.frombuffer(data, dtype=kind.dtype, count=1)[0].item()
    return number


def encoded_text(text: str, encoding: str) -> bytes:
    """Return bytes that protocol 2 wrote as text. Accepts latin-1 only: other codecs can decompress their input."""
    if encoding != "latin1":
        raise ValueError(f"bytes in encoding {encoding!r}")
    return text.encode("latin1")


def enum_value(value: object) -> str:
    """Return the value of a deeplabcut enumeration, which derives from str."""
    return str(_simple(value))


def posix_path(*parts: str) -> str:
    """Return a pathlib path as text."""
    return str(PurePosixPath(*parts))


def windows_path(*parts: str) -> str:
    """Return a pathlib path written on Windows as text, on any system."""
    return str(PureWindowsPath(*parts))


def device_name(*parts: object) -> str:
    """Return a torch.device as text."""
    return ":".join(str(_simple(part)) for part in parts)


def _simple(value: object) -> object:
    """Text or a number: what holds others may take forever to be written out."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"a name that is a {type(value).__name__}")
    return value


def plain_tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
    """Return a view into a storage; torch rejects a view that exceeds it."""
    return _view(storage, size, stride, offset)


def _view(storage: Tensor, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Tensor:
    """The view; not one that repeats numbers: a network of any size would fit a file of any other."""
    if math.prod(size) > storage.numel():
        raise ValueError(f"a tensor of {math.prod(size)} numbers in a storage of {storage.numel()}")
    return storage.as_strided(size, stride, offset)


def typed_tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *more: Any) -> Tensor:
    """Return a view into a storage of bytes, interpreted as numbers of the dtype in the third entry of `more`."""
    _, _, dtype = more[:3]
    return _view(storage.view(dtype), size, stride, offset)


def parameter_data(data: Tensor, *_: object) -> Tensor:
    """Return the tensor of a parameter."""
    return data


def counting_dict(*_: object) -> dict[Any, Any]:
    """Return a defaultdict without its factory, which reading does not need."""
    return defaultdict(None)


_DTYPES: Mapping[str, torch.dtype] = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}


def _functions() -> dict[tuple[str, str], Callable[..., object]]:
    table: dict[tuple[str, str], Callable[..., object]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "Counter"): Counter,
        ("collections", "defaultdict"): counting_dict,
        ("_codecs", "encode"): encoded_text,
        ("torch._utils", "_rebuild_tensor"): plain_tensor,
        ("torch._utils", "_rebuild_tensor_v2"): plain_tensor,
        ("torch._utils", "_rebuild_tensor_v3"): typed_tensor,
        ("torch._utils", "_rebuild_parameter"): parameter_data,
        ("torch", "Size"): tuple,
        ("torch", "device"): device_name,
        ("numpy", "dtype"): NumpyType,
    }
    for module in ("builtins", "__builtin__"):
        table |= {(module, kind.__name__): kind for kind in (dict, list, tuple, set, frozenset, complex)}
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        table[module, "scalar"] = numpy_number
    for module in ("pathlib", "pathlib._local"):
        for name in ("PosixPath", "PurePosixPath", "Path", "PurePath"):
            table[module, name] = posix_path
        for name in ("WindowsPath", "PureWindowsPath"):
            table[module, name] = windows_path
    return table


def _types() -> dict[tuple[str, str], object]:
    table: dict[tuple[str, str], object] = {("torch.storage", "UntypedStorage"): StorageType(torch.uint8)}
    for name, dtype in _DTYPES.items():
        for module in ("torch", "torch.cuda"):
            table[module, f"{name}Storage"] = StorageType(dtype)
        table["torch", str(dtype).removeprefix("torch.")] = dtype
    return table


_ENUMERATION = Call(enum_value)

STAND_INS: Mapping[tuple[str, str], object] = MappingProxyType(
    {name: Call(function) for name, function in _functions().items()} | _types()
)
"""(module, name) in a file -> its stand-in. All other names are rejected."""


def stand_in(module: str, name: str) -> object | None:
    """Return the stand-in for a name in a file; None if the name is rejected."""
    if module.split(".")[0] == "deeplabcut":  # its enumerations: NetType, MethodType, ...
        return _ENUMERATION
    return STAND_INS.get((module, name))


Loader = Callable[[StorageType, str, int], Tensor]
"""Maps a storage's type, key and number of elements to its one-dimensional data."""
