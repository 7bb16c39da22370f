"""Numbers, clocks and counters, with a camera that says exactly what a test wants."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np
import pytest
from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.device_clock import ticks_to_seconds
from dlclive_cameras.frame_ids import FrameIds
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.reconnection import Reconnection

from dlclive_core import SourceError

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("ids", "steps"),
    [
        ([0, 1, 2], [1, 1, 1]),
        ([1, 2, 5], [1, 1, 3]),
        ([65533, 65534, 65535, 1, 2], [1, 1, 1, 1, 1]),  # GigE Vision: 16 bits, without 0
        ([65530, 3], [1, 8]),
        ([70000, 70001, 1], [1, 1, 1]),  # 64 bits do not wrap: the camera began anew
        ([500, 0], [1, 1]),
        ([7, 7], [1, 1]),
    ],
)
def test_gaps_in_the_frame_numbers(ids: list[int], steps: list[int]) -> None:
    numbers = FrameIds()
    assert [numbers.advance(frame_id) for frame_id in ids] == steps


def test_timestamps_are_in_seconds() -> None:
    assert ticks_to_seconds(125_000_000, 125e6) == 1.0
    assert ticks_to_seconds(1_500_000_000, 1e9) == 1.5
    assert ticks_to_seconds(0, 1e9) is None  # no clock


class Script(Connection):
    """Plays shots; None is a frame that does not come, an exception is raised."""

    def __init__(self, *shots: GrabResult | Exception | None, fps: float | None = None) -> None:
        self._shots = deque(shots)
        self.fps, self.frame_size = fps, (6, 4)
        self.closed = 0

    def grab(self, timeout: float) -> GrabResult:
        shot = self._shots.popleft() if self._shots else None
        if shot is None:
            raise TimeoutError
        if isinstance(shot, Exception):
            raise shot
        return shot

    def close(self) -> None:
        self.closed += 1


class Scripted(LiveCamera):
    def __init__(self, *connections: Connection | Exception, reconnect: float = 5.0) -> None:
        super().__init__(reconnect=reconnect)
        self.name = "script"
        self._connections = deque(connections)

    def connect(self) -> Connection:
        connection = self._connections.popleft()
        if isinstance(connection, Exception):
            raise connection
        return connection


def shot(at: float, frame_id: int | None = None, **counts: int) -> GrabResult:
    return GrabResult(IMAGE, at, None, frame_id, **counts)


def indices(camera: LiveCamera, count: int) -> list[int]:
    return [camera.read(0.1).index for _ in range(count)]


def test_skipped_and_lost_frames_advance_the_index() -> None:
    camera = Scripted(Script(shot(0.0, 5), shot(0.1, 6), shot(0.5, 10, skipped=3), shot(0.8, 13, skipped=1)))
    camera.open()
    assert indices(camera, 4) == [0, 1, 5, 8]
    assert (camera.skipped, camera.lost, camera.corrupt) == (4, 1, 0)


def test_corrupt_buffers_with_and_without_a_number() -> None:
    bad, bad_without = GrabResult(None, 0.1, None, 1, corrupt=1), GrabResult(None, 0.2, corrupt=2)
    camera = Scripted(Script(shot(0.0, 0), bad, bad_without, shot(0.4, 4), shot(0.5, 7, corrupt=1)))
    camera.open()
    assert indices(camera, 3) == [0, 4, 7]
    assert (camera.corrupt, camera.lost) == (4, 1)


def test_a_camera_without_numbers() -> None:
    camera = Scripted(Script(shot(0.0), shot(0.1, skipped=2), GrabResult(None, 0.2, corrupt=1), shot(0.3)))
    camera.open()
    assert indices(camera, 3) == [0, 3, 5]
    assert camera.lost == 0


def test_an_outage_counts_the_frames_that_would_have_come(cameras: Any) -> None:
    first = Script(shot(10.0, 100), shot(10.1, 101), CameraLost("unplugged"), fps=10)
    camera = Scripted(first, SourceError("not yet"), Script(shot(12.1, 0), shot(12.2, 1), fps=10))
    camera.open()
    assert indices(camera, 2) == [0, 1]
    with pytest.raises(TimeoutError, match="script disconnected: unplugged"):
        camera.read(0.1)
    assert camera.trouble == "script disconnected: unplugged"
    assert cameras.read(camera).index == 21  # 2 s at 10 frames/s
    assert indices(camera, 1) == [22]
    assert (camera.lost, camera.reconnects, camera.trouble) == (19, 1, "")
    assert first.closed == 1


def test_an_outage_without_a_known_rate_counts_at_least_one_frame(cameras: Any) -> None:
    camera = Scripted(Script(shot(10.0), CameraLost("unplugged")), Script(shot(11.0)))
    camera.open()
    camera.read(0.1)
    with pytest.raises(TimeoutError):
        camera.read(0.1)
    assert cameras.read(camera).index == 2
    assert camera.lost == 1


def test_the_measured_rate_takes_precedence_over_the_declared_one(cameras: Any) -> None:
    shots = [shot(10 + 0.2 * number) for number in range(21)]  # 5 frames/s, in the dark
    camera = Scripted(Script(*shots, CameraLost("unplugged"), fps=30), Script(shot(15.0), fps=30))
    camera.open()
    indices(camera, 21)
    with pytest.raises(TimeoutError):
        camera.read(0.1)
    cameras.read(camera)
    assert camera.lost == 4


def test_reading_before_open_is_an_error() -> None:
    with pytest.raises(SourceError, match="not open"):
        Scripted().read(0.1)


def test_pauses_between_tries_grow() -> None:
    tries = []

    def connect() -> Connection:
        tries.append(time.perf_counter())
        raise SourceError("still away")

    search = Reconnection(connect, Script(), 1.2, "script")
    with pytest.raises(SourceError, match=r"did not come back within 1\.2 s: still away"):
        search.wait(5.0)
    search.stop()
    assert 3 <= len(tries) <= 6  # at once, after 0.1, 0.3, 0.7 and 1.2 s; a busy computer comes late to some
    for pause, least in zip(np.diff(tries), (0.1, 0.2), strict=False):
        assert pause > 0.9 * least


def test_a_driver_that_hangs_does_not_block_the_reader() -> None:
    search = Reconnection(lambda: time.sleep(3) or Script(), Script(), 0.3, "script")  # type: ignore[func-returns-value]
    with pytest.raises(TimeoutError):
        search.wait(0.1)
    time.sleep(0.3)
    began = time.perf_counter()
    with pytest.raises(SourceError, match="did not come back"):
        search.wait(0.1)
    search.stop()
    assert time.perf_counter() - began < 2.9


def test_a_connection_that_comes_too_late_is_closed() -> None:
    late = Script()

    def connect() -> Connection:
        time.sleep(1.5)
        return late

    search = Reconnection(connect, Script(), 5.0, "script")
    search.stop()  # waits one second
    until = time.perf_counter() + 5
    while not late.closed and time.perf_counter() < until:
        time.sleep(0.05)
    assert late.closed == 1
