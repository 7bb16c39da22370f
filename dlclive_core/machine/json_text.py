"""JSON that every reader accepts: a number that is not finite is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """The value as JSON text.

    NaN and infinities become null, which Python's own `json` would write as words that JSON does not have. Scalars and
    arrays of numpy become numbers and lists; anything else that JSON does not have becomes its text.
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    return str(value)
