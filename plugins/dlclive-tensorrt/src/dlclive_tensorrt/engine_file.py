r"""The engine file: a readable card that describes the engine, followed by TensorRT's plans.

    dlclive.engine\n          15 bytes
    length of the card        8 bytes, little-endian
    card                      JSON: an EngineCard
    plans                     TensorRT's plans, concatenated in the order of the card

A plan does not describe its origin, and TensorRT executes code in a plan when it reads it. So the card is read first, and it
alone decides whether the plans are passed to TensorRT.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from dlclive_core import DataError, ModelCard, ModelError

MAGIC = b"dlclive.engine\n"
_LENGTH = struct.Struct("<Q")
_LONGEST = 4 << 20
_VERSION = 1


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan of the file: its batch size, its length in bytes and its SHA-256."""

    batch: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCard:
    """Describes an engine and its origin.

    Attributes:
        model: the model's card.
        gpu: the name of the GPU for which the engine was built.
        capability: the GPU's compute capability, for example "8.9".
        tensorrt: the full version of TensorRT: a plan runs only with the build that made it.
        driver, cuda: the CUDA versions of the driver and of the runtime library.
        onnx_sha256: the SHA-256 of the source ONNX file.
        level: TensorRT's builder optimisation level.
        group_norms: whether each group normalisation was merged into one operator.
        plans: the plans in the order of the file; each has a different batch size.
    """

    model: ModelCard
    gpu: str
    capability: str
    tensorrt: str
    driver: str
    cuda: str
    onnx_sha256: str
    level: int
    group_norms: bool
    plans: tuple[PlanFacts, ...]

    def to_json(self) -> str:
        """The card as one line of JSON."""
        values = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("model", "plans")
        }
        model = json.loads(self.model.to_json())
        plans = [asdict(plan) for plan in self.plans]
        return json.dumps({"engine_card_version": _VERSION, **values, "model": model, "plans": plans}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, name: str) -> EngineCard:
        """Parse the line of `to_json`. Raises ModelError if it is invalid or from a newer version; `name` is for messages."""
        try:
            values: dict[str, Any] = json.loads(text)
            version = int(values.pop("engine_card_version"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ModelError(f"the card of {name} cannot be read ({error!r}): export it again") from None
        if version > _VERSION:
            raise ModelError(f"the card of {name} has version {version}: update dlclive-tensorrt")
        try:
            model = ModelCard.from_json(json.dumps(values.pop("model")), name)
            plans = tuple(_plan(item) for item in values.pop("plans"))
            if not plans or len({plan.batch for plan in plans}) < len(plans):
                raise ValueError("plans")
            known = {field.name for field in fields(cls)}
            return cls(model=model, plans=plans, **{key: value for key, value in values.items() if key in known})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the card of {name} cannot be read ({error!r}): export it again") from None


def _plan(item: dict[str, Any]) -> PlanFacts:
    plan = PlanFacts(batch=int(item["batch"]), bytes=int(item["bytes"]), sha256=str(item["sha256"]))
    if plan.batch < 1 or plan.bytes < 1:
        raise ValueError(f"a plan of {plan.bytes} bytes for {plan.batch} images")
    return plan


def plan_facts(batch: int, plan: bytes) -> PlanFacts:
    """The card's entry for a plan."""
    return PlanFacts(batch, len(plan), hashlib.sha256(plan).hexdigest())


def write_engine(path: Path, card: EngineCard, plans: Sequence[bytes]) -> None:
    """Write the card and the plans. Raises DataError if the file cannot be written."""
    text = card.to_json().encode()
    try:
        with path.open("wb") as file:
            file.write(MAGIC + _LENGTH.pack(len(text)) + text)
            file.writelines(plans)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None


def read_card(path: Path) -> EngineCard:
    """Read only the card. Raises ModelError if the file is not an engine written by dlclive."""
    with _open(path) as file:
        return _read_card(file, path)


def read_engine(path: Path) -> tuple[EngineCard, list[bytes]]:
    """Read the card and the plans, and check each plan's hash. The plans are not parsed.

    Raises:
        ModelError: the file is not an engine written by dlclive, is incomplete, or was changed.
    """
    with _open(path) as file:
        card = _read_card(file, path)
        plans = [file.read(plan.bytes) for plan in card.plans]
        rest = file.read(1)
    for plan, facts in zip(plans, card.plans, strict=True):
        if len(plan) < facts.bytes or rest:
            raise ModelError(f"{path.name} has the wrong length: copy it again, or export it again")
        if hashlib.sha256(plan).hexdigest() != facts.sha256:
            raise ModelError(f"{path.name} does not match its card: it was damaged or changed; export it again")
    return card, plans


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from None


def _read_card(file: BinaryIO, path: Path) -> EngineCard:
    if file.read(len(MAGIC)) != MAGIC:
        raise ModelError(
            f"{path.name} has no dlclive card, so its origin is unknown and it is not loaded; build an engine from the "
            f"model: dlclive export MODEL.onnx {path.name} --size WIDTHxHEIGHT"
        )
    head = file.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    text = file.read(length) if length <= _LONGEST else b""
    if not 0 < length == len(text):
        raise ModelError(f"{path.name} is incomplete: copy it again, or export it again")
    return EngineCard.from_json(text.decode("utf-8", errors="replace"), path.name)
