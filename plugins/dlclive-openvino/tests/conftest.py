"""A small trained network and pictures for it. Both come with the core, so these tests do not need torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import PoseModel, load_model
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource

SIZE = (160, 128)
"""(width, height) of the pictures."""


@pytest.fixture(scope="session")
def mouse() -> Path:
    """The demo model, an `.onnx` file that dlclive wrote."""
    return MODEL


@pytest.fixture(scope="session")
def pictures() -> Callable[..., list[np.ndarray]]:
    """Rendered mice: pictures(count, size=(width, height))."""

    def render(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
        rendered_size = (max(size[0], 160), max(size[1], 120))  # the source does not render smaller pictures
        with MouseSource(seed=1, frames=count, size=rendered_size) as source:
            source.open()
            return [np.ascontiguousarray(source.read(1.0).image[: size[1], : size[0]]) for _ in range(count)]

    return render


@pytest.fixture
def openvino() -> Callable[..., PoseModel]:
    """Load a file with this runtime: openvino(path, **options)."""

    def load(path: Path, **options: object) -> PoseModel:
        return load_model(path, "openvino", threads=1, **options)  # type: ignore[arg-type]

    return load


@pytest.fixture
def has_bf16() -> bool:
    """True. Skips the test if this CPU has no bf16."""
    from dlclive_openvino.devices import CPU, capabilities, core

    if "BF16" not in capabilities(core(), CPU):
        pytest.skip("this CPU has no bf16")
    return True
