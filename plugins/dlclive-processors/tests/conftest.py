"""What the tests of the processors share: runs, frames and poses made by hand."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import Frame, ModelCard, Pose, RunInfo, Skeleton

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)


@pytest.fixture
def make_run() -> Callable[..., RunInfo]:
    def make(*, is_live: bool = False, fps: float | None = 100.0, individuals: tuple[str, ...] = ("mouse",)) -> RunInfo:
        return RunInfo(
            card=ModelCard(net_type="test", skeleton=SKELETON, individuals=individuals),
            source="test",
            frame_size=(640, 480),
            fps=fps,
            frame_count=None,
            started_at=datetime.now(timezone.utc),
            started_clock=1000.0,
            is_live=is_live,
        )

    return make


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    def make(index: int, device_time: float | None = None, captured_at: float | None = None) -> Frame:
        return Frame(IMAGE, index, 1000.0 + index * 0.01 if captured_at is None else captured_at, device_time)

    return make


@pytest.fixture
def make_pose() -> Callable[..., Pose]:
    def make(xy: object, confidence: object = 0.9, ids: tuple[str, ...] | None = None) -> Pose:
        """A pose of N individuals from (N, 2) (all keypoints in one place) or (N, K, 2)."""
        places = np.asarray(xy, dtype=np.float32)
        if places.ndim == 2:
            places = np.repeat(places[:, None], len(SKELETON), axis=1)
        keypoints = np.empty((*places.shape[:2], 3), dtype=np.float32)
        keypoints[..., :2] = places
        keypoints[..., 2] = confidence
        return Pose(keypoints, SKELETON, ids=ids)

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a Python file of a user."""

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write
