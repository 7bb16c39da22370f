"""Whether an ONNX file refers to other files, found without the onnx package.

ONNX Runtime would read such a file from wherever the model says, relative to the current folder. A model that is used here
must be complete in itself.
"""

from __future__ import annotations

from collections.abc import Iterator

_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Messages of onnx.proto, and the fields in which a tensor can be: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto"""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # fields of a tensor
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def has_external_data(content: bytes) -> bool:
    """Whether a tensor of the model lies in another file. Raises ValueError if the content is not a protocol buffer."""
    waiting: list[tuple[str, memoryview]] = [("model", memoryview(content))]
    while waiting:
        kind, message = waiting.pop()
        for field, value in _fields(message):
            if kind == "tensor" and (field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value == 1)):
                return True
            inner = _INSIDE[kind].get(field)
            if inner is not None and isinstance(value, memoryview):
                waiting.append((inner, value))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: number and value (https://protobuf.dev/programming-guides/encoding/)."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        field, wire = key >> 3, key & 7
        value: int | memoryview
        if wire == _VARINT:
            value, position = _varint(message, position)
        else:
            if wire == _BYTES:
                size, position = _varint(message, position)
            elif wire in (_FIXED64, _FIXED32):
                size = 8 if wire == _FIXED64 else 4
            else:
                raise ValueError(f"wire type {wire}")
            if position + size > len(message):
                raise ValueError("a field ends behind the end")
            value = message[position : position + size]
            position += size
        yield field, value


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("a number ends behind the end")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is too long")
