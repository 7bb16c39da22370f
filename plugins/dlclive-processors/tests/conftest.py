"""What the tests of the processors share: runs, frames and poses made by hand."""

from __future__ import annotations

import os
import select
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
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


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a Python file of a user."""

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


class TerminalBoard:
    """A terminal whose other end is a board: `sketch` gets what came and returns what it answers."""

    def __init__(self, sketch: Callable[[bytes], bytes]) -> None:
        import pty
        import tty

        self.received = b""
        self._sketch = sketch
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if select.select([self._master], [], [], 0.02)[0]:
                data = os.read(self._master, 100)
                answer = self._sketch(data)
                self.received += data
                os.write(self._master, answer)

    def wait(self, received: bytes) -> None:
        until = time.perf_counter() + 20
        while self.received != received and time.perf_counter() < until:
            time.sleep(0.002)
        assert self.received == received

    def unplug(self) -> None:
        self._stopped.set()
        self._thread.join()
        if self._master >= 0:
            os.close(self._master)
            os.close(self._slave)
            self._master = -1


@pytest.fixture
def start_board() -> Iterator[Callable[..., TerminalBoard]]:
    boards: list[TerminalBoard] = []

    def start(sketch: Callable[[bytes], bytes]) -> TerminalBoard:
        boards.append(TerminalBoard(sketch))
        return boards[-1]

    yield start
    for board in boards:
        board.unplug()


@pytest.fixture
def hostile_poses() -> Callable[..., Iterator[tuple[Pose, Frame]]]:
    """Poses that no model returns and times that no camera tells: what a processor must survive."""

    def make(count: int, seed: int = 0) -> Iterator[tuple[Pose, Frame]]:
        rng = np.random.default_rng(seed)
        strange = np.array([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30, 3e38, 1e-40], np.float32)
        now = 0.0
        for index in range(count):
            animals = int(rng.choice([0, 1, 2, 3, 30]))
            keypoints = rng.uniform(0, 700, (animals, len(SKELETON), 3)).astype(np.float32)
            keypoints[..., 2] = rng.random(keypoints.shape[:2])
            spoiled = rng.random(keypoints.shape) < rng.choice([0.0, 0.1, 1.0])
            keypoints[spoiled] = rng.choice(strange, int(spoiled.sum()))
            names = tuple(f"mouse {rng.integers(40 * animals + 1)}" for _ in range(animals))
            now += float(rng.choice([0.0, 1e-9, 0.01, 0.03, 0.6, 1e6, -0.02, -1e6]))
            times = [now, now, now, None, np.nan, np.inf, -np.inf, 1e300]
            device = times[int(rng.integers(len(times)))]
            captured = float(
                rng.choice([1000.0 + index * 0.01, 1000.0 + now, np.nan, np.inf], p=[0.5, 0.4, 0.05, 0.05])
            )
            unique = keypoints[0, :2] if animals and rng.random() < 0.3 else None
            pose = Pose(keypoints, SKELETON, ids=names if rng.random() < 0.5 else None, unique=unique)
            yield pose, Frame(IMAGE, index, captured, device)

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
