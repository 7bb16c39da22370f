"""JSON that every reader accepts."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.machine.json_text import json_text


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"mean": float("nan"), "most": float("inf"), "least": [-float("inf"), 1.5]},
            {"mean": None, "most": None, "least": [None, 1.5]},
        ),
        (np.float32("nan"), None),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        ((np.int64(3), np.bool_(True), "x", None), [3, True, "x", None]),
        ({3: Path("a")}, {"3": "a"}),
    ],
)
def test_what_is_not_finite_is_null(value: object, expected: object) -> None:
    assert json.loads(json_text(value), parse_constant=refuse) == expected
