"""The laser of DeepLabCut-live's example, against a board on a terminal that answers as its sketch does."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_processors import TeensyLaser

from dlclive_core import (
    Frame,
    ModelCard,
    OutputError,
    Pose,
    Processor,
    RunInfo,
    Session,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import BlobModel, BlobSource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


StartBoard = Callable[[Callable[[bytes], bytes]], Any]
MakeRun = Callable[..., RunInfo]


class TeensySketch:
    """O with three uint16: on, answered with a line; X: off. A duration of 0 is 65355 ms."""

    def __init__(self) -> None:
        self.buffer, self.on, self.lose = b"", False, 0

    def __call__(self, data: bytes) -> bytes:
        self.buffer += data
        answer = b""
        while self.buffer:
            if self.buffer[:1] == b"X":
                self.on, self.buffer = False, self.buffer[1:]
            elif len(self.buffer) < 7:
                break
            else:
                numbers, self.buffer = list(struct.unpack("=xHHH", self.buffer[:7])), self.buffer[7:]
                numbers[2] = numbers[2] or 65355
                numbers[: self.lose] = [0] * self.lose
                self.on = True
                answer += ",".join(map(str, numbers)).encode() + b"\n"
        return answer


def pose_of(*points: tuple[float, float, float], count: int = 14) -> np.ndarray:
    """(K, 3): the given points first, the others missing."""
    pose = np.zeros((count, 3), np.float32)
    pose[: len(points)] = points
    return pose


def run_with(*names: str) -> RunInfo:
    from datetime import datetime, timezone

    return RunInfo(
        card=ModelCard(net_type="test", skeleton=Skeleton(names)),
        source="test",
        is_live=True,
        frame_size=None,
        fps=None,
        frame_count=None,
        started_at=datetime.now(timezone.utc),
        started_clock=time.perf_counter(),
    )


IN, OUT, UNSURE, MISSING = (50, 50, 0.9), (150, 50, 0.9), (50, 50, 0.3), (0, 0, 0)


def test_the_laser_is_told_the_bytes_of_the_example(start_board: StartBoard, tmp_path: Path) -> None:
    sketch = TeensySketch()
    board = start_board(sketch)
    laser = TeensyLaser(board.port, pulse_freq=20, pulse_width=10, max_stim_dur=3000)
    before = time.time()
    laser.open()
    for point in (OUT, IN, IN, MISSING, OUT, IN, UNSURE, IN):
        laser.process(pose_of(point), frame_time=1.0, record=True)
    on, off = b"O" + struct.pack("<HHH", 20, 10, 3000), b"X"
    expected = on + off + on + off + on
    board.wait(expected)
    assert sketch.on
    assert laser.stimulating
    assert laser.save(str(tmp_path / "laser.npz")) == 1
    laser.close_serial()
    board.wait(expected + off)
    assert not sketch.on
    assert [len(laser.stim_on_time), len(laser.stim_off_time)] == [3, 3]
    times = np.sort([*laser.stim_on_time, *laser.stim_off_time])
    assert before - 0.1 <= times[0] <= times[-1] <= time.time() + 0.1
    with np.load(tmp_path / "laser.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["stim_on"], laser.stim_on_time)
        np.testing.assert_array_equal(saved["stim_off"], laser.stim_off_time[:2])


@pytest.mark.parametrize(
    "pose",
    [
        pose_of(MISSING),
        pose_of((math.nan, 50, 0.9)),
        pose_of((50, math.inf, 0.9)),
        pose_of((50, 50, math.nan)),
        pose_of((50, 50, 0.5)),
        pose_of((100, 50, 0.9)),
        np.empty((0, 14, 3), np.float32),
    ],
    ids=["missing", "nan", "infinite", "nan likelihood", "unsure", "on the line", "no animal"],
)
def test_the_laser_is_never_on_without_a_keypoint_that_is_seen_inside(
    start_board: StartBoard, pose: np.ndarray
) -> None:
    board = start_board(TeensySketch())
    with TeensyLaser(board.port) as laser:
        laser.open()
        laser.process(pose)
    board.wait(b"X")


def test_the_laser_watches_a_named_keypoint_of_any_animal_in_a_box_of_ones_own(start_board: StartBoard) -> None:
    board = start_board(TeensySketch())
    laser = TeensyLaser(board.port, keypoint="tail", box=[200, 0, 300, 100])
    with pytest.raises(UsageError, match="no keypoint 'tail'"):
        laser.check(run_with("snout", "tail_base").card)
    laser.open(run_with("snout", "tail"))
    laser.process(pose_of((250, 50, 0.9), OUT, count=2))
    assert not laser.stimulating
    laser.process(np.stack([pose_of(OUT, OUT, count=2), pose_of(OUT, (250, 50, 0.9), count=2)]))
    assert laser.stimulating
    laser.close()


def test_what_the_board_understood_is_counted(start_board: StartBoard, caplog: pytest.LogCaptureFixture) -> None:
    sketch = TeensySketch()
    board = start_board(sketch)
    laser = TeensyLaser(board.port)
    laser.open()
    for lose in (0, 2):
        sketch.lose = lose
        laser.process(pose_of(IN))
        until = time.perf_counter() + 20
        while sum(laser.statistics.values()) < 2 * len(laser.stim_on_time) and time.perf_counter() < until:
            laser.process(pose_of(IN))
        laser.process(pose_of(OUT))
    assert laser.statistics == {"switched_on": 2, "confirmed": 1, "misread": 1}
    assert "understood b'0,0,65355', not b'50,5,65355'" in caplog.text
    laser.close()


def test_the_laser_is_off_after_an_exception_and_stays_off(start_board: StartBoard) -> None:
    sketch = TeensySketch()
    board = start_board(sketch)
    laser = TeensyLaser(board.port, keypoint="tail")
    laser.open(run_with("snout", "tail"))
    laser.process(pose_of(IN, IN, count=2))
    with pytest.raises(UsageError, match="the pose has 1 keypoints"):
        laser.process(pose_of(IN, count=1))
    on = b"O" + struct.pack("=HHH", 50, 5, 0)
    board.wait(on + b"X")
    with pytest.raises(OutputError, match="was closed after an error"):
        laser.process(pose_of(IN, IN, count=2))
    laser.close()
    assert board.received == on + b"X"
    assert not sketch.on


def test_the_laser_is_off_after_a_session_that_failed(start_board: StartBoard) -> None:
    class Fails(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            if frame.index == 3:
                raise ValueError("now")
            return pose

    sketch = TeensySketch()
    board = start_board(sketch)
    laser = TeensyLaser(board.port, box=[-1000, -1000, 1000, 1000])
    session = Session(source=BlobSource(frames=9), model=BlobModel(), processors=[laser, Fails()])
    with pytest.raises(Exception, match="now"):
        session.run()
    board.wait(b"O" + struct.pack("=HHH", 50, 5, 0) + b"X")
    assert session.report is not None
    assert session.report.processors[0].processor == "TeensyLaser"
    assert session.report.processors[0].statistics["switched_on"] == 1


def test_the_laser_is_off_when_a_script_ends_without_closing_it(start_board: StartBoard) -> None:
    sketch = TeensySketch()
    board = start_board(sketch)
    script = f"""
        import numpy as np
        from dlclive_processors import TeensyLaser

        laser = TeensyLaser({board.port!r})
        laser.open()
        laser.process(np.array([[50, 50, 0.9]], np.float32))
        """
    paths = os.pathsep.join(path for path in sys.path if path)
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=60, env={**os.environ, "PYTHONPATH": paths}
    )
    board.wait(b"O" + struct.pack("=HHH", 50, 5, 0) + b"X")
