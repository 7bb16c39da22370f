"""Where a training has come to, as one file of plain arrays, from which it goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

_STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """What makes two trainings the same, and where one is.

    Attributes:
        student: name of the network.
        seed: of all that is random.
        minutes: for which the steps were planned; another number plans them anew.
        steps: planned, 0 if not yet; they decide the learning rate of each.
        step: how many are done.
        seconds: that they took.
        footage: what the frames are, so that a training is not continued on others.
    """

    student: str
    seed: int
    minutes: float
    steps: int
    step: int
    seconds: float
    footage: str


def save_checkpoint(path: Path, state: TrainingState, tensors: Mapping[str, Tensor]) -> None:
    """Write it under another name first: a training that is killed leaves the last whole one."""
    draft = path.with_name(f".{path.name}.part")
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, str(draft), metadata={_STATE: json.dumps(asdict(state))})
    draft.replace(path)


def load_checkpoint(path: Path) -> tuple[TrainingState, dict[str, Tensor]] | None:
    """What `save_checkpoint` wrote; None if there is none, or it cannot be read."""
    try:
        with safe_open(str(path), framework="pt") as file:
            state = TrainingState(**json.loads((file.metadata() or {})[_STATE]))
        return state, load_file(str(path))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
