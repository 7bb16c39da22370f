"""The card of an ONNX file, read without loading its network: the file is walked over, and only its metadata is read.

ONNX Runtime reads all of the metadata, whatever its size, so a file with more than any model needs is refused here, first.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from dlclive_core import ModelCard, ModelError
from dlclive_core.runtimes import CARD_KEY

"""The key of the card in the file's metadata."""

_METADATA = 14  # the field `metadata_props` of ModelProto (onnx.proto)
_KEY, _VALUE = 1, 2  # the fields of each entry
_MOST_FIELDS = 100_000  # of ModelProto; a file has about ten, and one more for each function
_MOST_METADATA = 8 << 20  # bytes
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def read_card(path: Path) -> ModelCard | None:
    """The card in a file that `dlclive export` wrote; None if there is none.

    Raises:
        ModelError: it is not ONNX at all, its metadata is larger than any model's, or the card is invalid.
    """
    try:
        with path.open("rb") as file:
            text = _card_text(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not an ONNX model: {error}") from None
    return None if text is None else ModelCard.from_json(text, path.name)


def _card_text(file: BinaryIO) -> str | None:
    """The card's JSON; of several, the last, as ONNX Runtime has it."""
    end = file.seek(0, 2)
    file.seek(0)
    text, fields, metadata = None, 0, 0
    while file.tell() < end:
        fields += 1
        if fields > _MOST_FIELDS:
            raise ValueError(f"it has more than {_MOST_FIELDS} parts")
        length = _step_to_metadata(file, end)
        if length is None:
            continue
        metadata += length
        if metadata > _MOST_METADATA:
            raise ValueError(f"it has more than {_MOST_METADATA >> 20} MiB of metadata")
        entry = _entry(file, file.tell() + length)
        if entry[0] == CARD_KEY:
            text = entry[1]
    return text


def _step_to_metadata(file: BinaryIO, end: int) -> int | None:
    """Step over one field; for an entry of the metadata only up to its content, whose length is returned."""
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
            return length
        file.seek(length, 1)
    else:
        raise ValueError(f"byte {file.tell()} is none of its fields")
    return None


def _entry(file: BinaryIO, end: int) -> tuple[str, str]:
    texts = {_KEY: "", _VALUE: ""}
    while file.tell() < end:
        tag, length = _varint(file), _varint(file)
        if file.tell() + length > end:
            raise ValueError("it is cut off")
        texts[tag >> 3] = file.read(length).decode()
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
