"""Limits of a model's configuration, which comes from a file: checked before anything is built from it.

A network is made of as many layers as its configuration says, and the configuration may say a thousand million. The limits are
several times what DeepLabCut's largest networks have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dlclive_core.data.name_checks import MOST_NAMES, check_name, check_names
from dlclive_core.data.skeleton import MOST_EDGES
from dlclive_core.errors import ModelError

_LARGEST = 1 << 16
"""Of any other number of the architecture: channels, pixels."""

_DEEPEST = 32
_LIMITS: Mapping[str, float] = {
    "att_heads": 1024,
    "deepen_factor": 8,
    "depth": 256,
    "dilation_rate": 64,
    "expansion_factor": 64,
    "final_conv_kernel": 255,
    "final_layer_kernel_size": 255,
    "heads": 1024,
    "kernel_size": 255,
    "nms_radius": 255,
    "num_animals": MOST_NAMES,
    "num_blocks": 64,
    "num_joints": MOST_NAMES,
    "num_keypoints": MOST_NAMES,
    "num_stages": 64,
    "out_channels": 4 * MOST_NAMES,
    "output_stride": 64,
    "simcc_split_ratio": 64,
    "strides": 16,
    "widen_factor": 8,
}
_LONGEST: Mapping[str, int] = {"channels": 64, "kernel_size": 64, "strides": 64, "colors": MOST_NAMES}
"""Entries of a list; of the first three, one for each layer."""


def check_config(values: Mapping[str, Any], where: str) -> None:
    """Refuse a configuration with names that are none or numbers that no network has.

    Args:
        values: with the parts `model` and `metadata`.
        where: the file, for messages.

    Raises:
        ModelError: `where`, the entry, and what it must be.
    """
    metadata = values["metadata"]
    try:
        for key in ("bodyparts", "individuals", "unique_bodyparts"):
            names = metadata.get(key) or ()
            if not isinstance(names, list | tuple):
                raise ValueError(f"{key} must be a list of names, not {type(names).__name__}")
            for index, name in enumerate(names):
                if not isinstance(name, str | int | float):  # YAML reads a name such as 1 as a number
                    raise ValueError(f"{key}[{index}] must be text, not {type(name).__name__}")
            check_names([str(name) for name in names], key)
        check_name(str(values.get("net_type") or "unknown"), "net_type")
    except ValueError as error:
        raise ModelError(f"{where}: metadata: {error}; correct it, or export the model again") from None
    detector = values.get("detector")
    parts = {"model": values.get("model"), "data": values.get("data")}
    if isinstance(detector, Mapping):  # its other parts are about training
        parts |= {f"detector.{part}": detector.get(part) for part in ("model", "data")}
    for part, content in parts.items():
        _check(content, part, part, where, 0)


def _check(value: Any, key: str, name: str, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ModelError(f"{where}: {name} is more than {_DEEPEST} levels deep; no model has that")
    if isinstance(value, Mapping):
        _check_length(value, key, name, where)
        for inner, item in value.items():
            _check(item, str(inner), f"{name}.{str(inner)[:40]}", where, depth + 1)
    elif isinstance(value, list | tuple):
        _check_length(value, key, name, where)
        for index, item in enumerate(value):
            _check(item, key, f"{name}[{index}]", where, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        most = _LIMITS.get(key, _LARGEST)
        if not -_LARGEST <= value <= most or math.isnan(value):
            raise ModelError(f"{where}: {name} is {str(value)[:40]}; {most:g} is the most that any model has")


def _check_length(value: Any, key: str, name: str, where: str) -> None:
    most = _LONGEST.get(key, MOST_EDGES)
    if len(value) > most:
        raise ModelError(f"{where}: {name} has {len(value)} entries; {most} is the most that any model has")
