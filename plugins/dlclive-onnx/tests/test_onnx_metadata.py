"""The metadata of ONNX files from anywhere: limits on its size, and no card that is not valid."""

import json
import resource
import time
from pathlib import Path

import onnx
import pytest
from dlclive_onnx.metadata import read_card

from dlclive_core import ModelError, load_model
from dlclive_core.runtimes import CARD_KEY


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, as protocol buffers write it."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def entry(key: str, value: bytes) -> bytes:
    return field(14, field(1, key.encode()) + field(2, value))


def test_metadata_larger_than_any_models_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    size = 1 << 30
    with path.open("wb") as file:  # sparse: it takes no space
        file.write(bytes([14 << 3 | 2]) + varint(size + 20))
        file.truncate(file.tell() + size + 20)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ModelError, match=r"m\.onnx is not an ONNX model: it has more than 8 MiB of metadata"):
        load_model(path, "onnx")
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB


HOSTILE = {
    "much metadata": (lambda: entry("a", b"x" * (5 << 20)) * 2, "more than 8 MiB of metadata"),
    "many parts": (lambda: b"\x08\x00" * 100_001, "more than 100000 parts"),
    "a number without end": (lambda: b"\xff" * 12, "is not a number"),
    "an entry that is cut off": (lambda: field(14, b"\x0a\xff\xff\xff\xff\x0f"), "it is cut off"),
    "a card that is no text": (lambda: entry(CARD_KEY, b"\xff\xfe"), "not an ONNX model"),
    "a card that is too deep": (lambda: entry(CARD_KEY, b"[" * 100_000), r"the card of m\.onnx cannot be read"),
}
"""Functions, because the names of tests would hold the bytes."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_is_a_model_error(tmp_path: Path, name: str) -> None:
    content, message = HOSTILE[name]
    path = tmp_path / "m.onnx"
    path.write_bytes(content())
    with pytest.raises(ModelError, match=message):
        read_card(path)


def test_of_several_cards_the_last_one_counts_as_for_onnx_runtime(whole, tmp_path: Path) -> None:
    model = onnx.load(whole())
    first = model.metadata_props[0]
    assert first.key == CARD_KEY
    second = model.metadata_props.add()
    second.key, second.value = CARD_KEY, json.dumps({**json.loads(first.value), "scorer": "DLC_second"})
    onnx.save(model, tmp_path / "m.onnx")
    assert read_card(tmp_path / "m.onnx").scorer == "DLC_second"
    with load_model(tmp_path / "m.onnx", "onnx") as loaded:
        assert loaded.card.scorer == "DLC_second"


@pytest.mark.parametrize("change", [{"keypoints": ["a", "b", "c"]}, {"keypoints": ["red"]}])
def test_a_card_with_another_number_of_keypoints_is_refused_when_the_file_is_loaded(
    whole, tmp_path: Path, change
) -> None:
    model = onnx.load(whole())
    card = json.loads(model.metadata_props[0].value)
    card["skeleton"] |= change
    model.metadata_props[0].value = json.dumps(card)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"m\.onnx has the card of another model: output 'keypoints' is"):
        load_model(tmp_path / "m.onnx", "onnx")
