"""The messages between session and viewer. To the viewer: the length of the JSON, the JSON, and the pixels it announces.

To the session: one byte per request, `PICTURE`, or `NUMBERS` while no page is open; and `MARK`, which is not answered.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PICTURE, NUMBERS, MARK = b"p", b"n", b"m"
_LENGTH = struct.Struct("<I")


def send(write: Callable[[memoryview], int | None], header: dict[str, Any], image: NDArray[np.uint8] | None) -> None:
    """Write a message; `write` may accept a part at a time and returns its length."""
    shape = None if image is None else image.shape
    text = json.dumps({**header, "shape": shape}).encode()
    parts = [memoryview(_LENGTH.pack(len(text)) + text)]
    if image is not None:
        parts.append(np.ascontiguousarray(image).data.cast("B"))
    for rest in parts:
        while rest:
            rest = rest[write(rest) or 0 :]


def receive(read: Callable[[int], bytes]) -> tuple[dict[str, Any], NDArray[np.uint8] | None] | None:
    """Read a message; None if the other side is gone. `read` returns as many bytes as requested, fewer only at the end."""
    head = read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    text = read(length)
    if len(text) < length:
        return None
    header: dict[str, Any] = json.loads(text)
    shape = header.pop("shape")
    if shape is None:
        return header, None
    pixels = read(int(np.prod(shape)))
    if len(pixels) < int(np.prod(shape)):
        return None
    return header, np.frombuffer(pixels, np.uint8).reshape(shape)
