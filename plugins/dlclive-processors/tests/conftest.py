"""What the tests of the processors share: runs, frames and poses made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors.output.protocol import Limits
from dlclive_processors.simulator import UNO, Board, build_host, build_sketch, chip_command, missing_tools

from dlclive_core import Frame, ModelCard, Pose, RunInfo, Skeleton

HERE = Path(__file__).parent
SKETCHES = HERE.parent / "firmware"
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


@pytest.fixture(scope="session")
def make_chip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """Compiles a sketch for an Arduino; the command line of a program that runs it on a simulated processor."""
    if missing := missing_tools():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("chip")
    host = build_host(HERE / "firmware" / "chip.c", folder / "chip")
    built: dict[tuple[Path, Board, Limits | None], Path] = {}

    def make(
        record: Path,
        board: Board = UNO,
        limits: Limits | None = None,
        sketch: Path = SKETCHES / "dlclive_output" / "dlclive_output.ino",
        baud: int = 115200,
    ) -> list[str]:
        key = sketch, board, limits
        if key not in built:
            built[key] = build_sketch(
                sketch, folder / str(len(built)), board, limits, include=SKETCHES / "dlclive_output"
            )
        return chip_command(host, built[key], board, record, baud)

    return make
