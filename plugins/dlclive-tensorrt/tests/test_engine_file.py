"""Engine files: the card comes first, and everything in it that can be checked is checked."""

import json
import struct
from pathlib import Path

import pytest
from dlclive_tensorrt.engine_file import MAGIC, EngineCard, plan_facts, read_card, read_engine, write_engine

from dlclive_core import DataError, ModelCard, ModelError, Skeleton

PLANS = [b"one image" * 100, b"three images" * 100]


def card(**changes) -> EngineCard:
    facts = {
        "model": ModelCard(
            net_type="resnet_50",
            skeleton=Skeleton(("a", "b")),
            input_size=(96, 128),
            format="tensorrt",
            precision="fp16",
        ),
        "gpu": "NVIDIA GeForce RTX 4090",
        "capability": "8.9",
        "tensorrt": "11.4.0.106",
        "driver": "13.2",
        "cuda": "13.0",
        "onnx_sha256": "0" * 64,
        "level": 5,
        "group_norms": False,
        "plans": (plan_facts(1, PLANS[0]), plan_facts(3, PLANS[1])),
    }
    return EngineCard(**(facts | changes))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.engine"
    write_engine(path, card(), PLANS)
    return path


def test_a_file_is_read_as_it_was_written(path: Path) -> None:
    assert read_card(path) == card()
    assert read_engine(path) == (card(), PLANS)


def test_the_card_is_plain_json(path: Path) -> None:
    content = path.read_bytes()
    length = struct.unpack("<Q", content[len(MAGIC) : len(MAGIC) + 8])[0]
    values = json.loads(content[len(MAGIC) + 8 :][:length])
    assert values["gpu"] == "NVIDIA GeForce RTX 4090"
    assert values["model"]["precision"] == "fp16"
    assert content.endswith(PLANS[0] + PLANS[1])


def test_a_flipped_bit_in_a_plan_is_detected(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="does not match its card"):
        read_engine(path)


@pytest.mark.parametrize("keep", [3, 18, 23, 200, -1])
def test_a_truncated_file_is_rejected(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"incomplete|wrong length|no dlclive card"):
        read_engine(path)


def test_trailing_bytes_are_rejected(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ModelError, match="wrong length"):
        read_engine(path)


@pytest.mark.parametrize("content", [b"", b"ftrt" + bytes(1000), MAGIC + struct.pack("<Q", 1 << 60) + b"{}"])
def test_a_file_in_another_format_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.engine"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"plan\.engine (has no dlclive card|is incomplete)") as caught:
        read_engine(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"engine_card_version": 1}',
        '{"engine_card_version": 1, "model": {}, "plans": []}',
        card().to_json().replace('"batch": 3', '"batch": 1'),
        card().to_json().replace('"batch": 3', '"batch": 0'),
        card().to_json().replace('"gpu"', '"graphics"'),
    ],
)
def test_an_invalid_card_is_rejected(text: str) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        EngineCard.from_json(text, "m.engine")


def test_a_newer_card_version_is_rejected_and_extra_fields_are_ignored() -> None:
    text = card().to_json().replace('"engine_card_version": 1', '"engine_card_version": 2')
    with pytest.raises(ModelError, match="update dlclive-tensorrt"):
        EngineCard.from_json(text, "m.engine")
    more = json.loads(card().to_json()) | {"colour": "green"}
    assert EngineCard.from_json(json.dumps(more), "m.engine") == card()


def test_a_missing_file_or_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        read_card(tmp_path / "no.engine")
    with pytest.raises(DataError, match="cannot write"):
        write_engine(tmp_path / "no" / "m.engine", card(), PLANS)
