"""The card of an ONNX file, read without loading its network: the file is walked over, and only its metadata is read."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from dlclive_core import ModelCard, ModelError
from dlclive_core.runtimes import CARD_KEY

"""The key of the card in the file's metadata."""

_METADATA = 14  # the field `metadata_props` of ModelProto (onnx.proto)
_KEY, _VALUE = 1, 2  # the fields of each entry
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def read_card(path: Path) -> ModelCard | None:
    """The card in a file that `dlclive export` wrote; None if there is none. ModelError if it is not ONNX at all."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(0)
            while file.tell() < end:
                entry = _next_metadata(file, end)
                if entry is not None and entry[0] == CARD_KEY:
                    return ModelCard.from_json(entry[1])
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not an ONNX model: {error}") from None
    return None


def _next_metadata(file: BinaryIO, end: int) -> tuple[str, str] | None:
    """Step over one field; (key, value) if it is an entry of the metadata."""
    tag = _varint(file)
    number, wire = tag >> 3, tag & 7
    if wire == _VARINT:
        _varint(file)
    elif wire in (_FIXED32, _FIXED64):
        file.seek(4 if wire == _FIXED32 else 8, 1)
    elif wire == _BYTES:
        length = _varint(file)
        if file.tell() + length > end:
            raise ValueError("it is cut off")
        if number == _METADATA:
            return _entry(file, file.tell() + length)
        file.seek(length, 1)
    else:
        raise ValueError(f"byte {file.tell()} is none of its fields")
    return None


def _entry(file: BinaryIO, end: int) -> tuple[str, str]:
    texts = {_KEY: "", _VALUE: ""}
    while file.tell() < end:
        tag, length = _varint(file), _varint(file)
        texts[tag >> 3] = file.read(min(length, end - file.tell())).decode()
    return texts[_KEY], texts[_VALUE]


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:
            raise ValueError("it is cut off" if not byte else f"byte {file.tell()} is not a number")
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return value
