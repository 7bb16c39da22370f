"""Engines on disk: the card comes first and is believed about nothing that can be checked."""

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


def test_a_file_comes_back_as_it_was_written(path: Path) -> None:
    assert read_card(path) == card()
    assert read_engine(path) == (card(), PLANS)


def test_the_card_can_be_read_by_anybody(path: Path) -> None:
    content = path.read_bytes()
    length = struct.unpack("<Q", content[len(MAGIC) : len(MAGIC) + 8])[0]
    told = json.loads(content[len(MAGIC) + 8 :][:length])
    assert told["gpu"] == "NVIDIA GeForce RTX 4090"
    assert told["model"]["precision"] == "fp16"
    assert content.endswith(PLANS[0] + PLANS[1])


def test_one_bit_of_a_plan_is_noticed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not what its card says"):
        read_engine(path)


@pytest.mark.parametrize("keep", [3, 18, 23, 200, -1])
def test_a_file_that_was_cut_short(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"not whole|no card of dlclive's"):
        read_engine(path)


def test_a_file_with_something_after_it(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ModelError, match="not whole"):
        read_engine(path)


@pytest.mark.parametrize("content", [b"", b"ftrt" + bytes(1000), MAGIC + struct.pack("<Q", 1 << 60) + b"{}"])
def test_a_file_of_somebody_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.engine"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"plan\.engine (has no card of dlclive's|is not whole)") as caught:
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
def test_a_card_that_is_none(text: str) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        EngineCard.from_json(text, "m.engine")


def test_a_card_of_a_later_version() -> None:
    text = card().to_json().replace('"engine_card_version": 1', '"engine_card_version": 2')
    with pytest.raises(ModelError, match="update dlclive-tensorrt"):
        EngineCard.from_json(text, "m.engine")
    more = json.loads(card().to_json()) | {"colour": "green"}
    assert EngineCard.from_json(json.dumps(more), "m.engine") == card()


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        read_card(tmp_path / "no.engine")
    with pytest.raises(DataError, match="cannot write"):
        write_engine(tmp_path / "no" / "m.engine", card(), PLANS)
