"""Webcams and streams: a real stream over HTTP from another process, which is killed as by `kill -9`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_cameras import OpenCVCamera
from dlclive_cameras.opencv_camera import video4linux

from dlclive_core import Frame, FrameSource, SourceError, UsageError
from dlclive_core.testing import FrameSourceContract


class TestOpenCVCamera(FrameSourceContract):
    @pytest.fixture
    def source(self, server: Any) -> FrameSource:
        server.start()
        return OpenCVCamera(server.url)


def test_frames_are_the_senders_in_order_and_in_rgb(
    server: Any, cameras: Any, number_in: Callable[[Frame], int]
) -> None:
    server.start(fps=30)
    with OpenCVCamera(server.url) as camera:
        camera.open()
        assert camera.frame_size == (192, 96)
        frames = [cameras.read(camera) for _ in range(20)]
    numbers = [number_in(frame) for frame in frames]
    assert [number - numbers[0] for number in numbers] == [frame.index - frames[0].index for frame in frames]
    assert frames[-1].index + 1 == cameras.counted(camera, 20)
    image = frames[-1].image.astype(int)
    assert np.abs(image[60, 20] - (230, 0, 0)).max() < 12
    assert np.abs(image[60, 170] - (0, 0, 230)).max() < 12
    assert frames[-1].device_time is None  # such a stream carries no times


def test_a_stream_with_a_clock_gives_device_times(server: Any, cameras: Any, number_in: Callable[[Frame], int]) -> None:
    server.start("mpegts", fps=25)
    with OpenCVCamera(server.url) as camera:
        camera.open()
        assert camera.fps == 25
        cameras.read(camera)
        first, *_, last = [cameras.read(camera) for _ in range(10)]
    assert first.device_time is not None
    assert last.device_time is not None
    assert abs((last.device_time - first.device_time) - (number_in(last) - number_in(first)) / 25) < 0.005


def test_a_slow_reader_gets_the_newest_frame(server: Any, cameras: Any, number_in: Callable[[Frame], int]) -> None:
    server.start(fps=50)
    with OpenCVCamera(server.url) as camera:
        camera.open()
        first = cameras.read(camera)
        time.sleep(1.0)
        second = cameras.read(camera)
        assert time.perf_counter() - second.captured_at < 0.9
    assert camera.skipped > 10
    assert second.index - first.index == number_in(second) - number_in(first)
    assert second.index + 1 == cameras.counted(camera, 2)


@pytest.mark.parametrize("kind", ["mpjpeg", "mpegts"])
def test_a_sender_that_is_killed_and_comes_back(
    server: Any, cameras: Any, number_in: Callable[[Frame], int], kind: str
) -> None:
    server.start(kind, fps=50)
    with OpenCVCamera(server.url, reconnect=30) as camera:
        camera.open()
        before = [cameras.read(camera) for _ in range(25)][-1]
        server.kill()
        began = time.perf_counter()
        assert cameras.wait_for_loss(camera) < 15
        while time.perf_counter() - began < 1.0:
            read_at = time.perf_counter()
            with pytest.raises(TimeoutError):
                camera.read(0.1)
            assert time.perf_counter() - read_at < 5
        server.start(kind, fps=50, first=1000)
        after = cameras.read(camera)
        assert number_in(after) >= 1000  # nothing old
        outage = after.captured_at - before.captured_at
        assert (camera.trouble, camera.reconnects) == ("", 1)
        assert (
            abs((after.index - before.index) - 50 * outage) <= 0.3 * 50 * outage + 3
        )  # the gap is as long as the outage
        assert camera.lost > 25
        following = cameras.read(camera)
        assert following.index > after.index


def test_a_sender_that_stops_silently_is_noticed(server: Any, cameras: Any) -> None:
    """OpenCV would wait for 30 s."""
    server.start("stalls")
    with OpenCVCamera(server.url, silence=1.0) as camera:
        camera.open()
        cameras.read(camera)
        assert cameras.wait_for_loss(camera) < 15


def test_a_silent_sender_is_an_error_in_time(server: Any) -> None:
    server.start("silent")
    began = time.perf_counter()
    with OpenCVCamera(server.url, silence=1.0) as camera, pytest.raises(SourceError, match="does not open"):
        camera.open()
    assert time.perf_counter() - began < 15


def test_a_missing_sender_is_an_error(server: Any) -> None:
    with OpenCVCamera(server.url) as camera, pytest.raises(SourceError, match=server.url):
        camera.open()


def test_a_sender_that_does_not_come_back_is_an_error(server: Any, cameras: Any) -> None:
    server.start()
    with OpenCVCamera(server.url, reconnect=0.5) as camera:
        camera.open()
        cameras.read(camera)
        server.kill()
        cameras.wait_for_loss(camera)
        with pytest.raises(SourceError, match=r"did not come back within 0\.5 s"):
            cameras.read(camera)
        with pytest.raises(SourceError):
            camera.read(0.1)


def test_many_outages_leave_no_threads(server: Any, cameras: Any) -> None:
    threads = threading.active_count()
    server.start()
    with OpenCVCamera(server.url) as camera:
        camera.open()
        for outage in range(3):
            cameras.read(camera)
            server.kill()
            cameras.wait_for_loss(camera)
            server.start(first=outage)
            cameras.read(camera)
        assert camera.reconnects == 3
        assert threading.active_count() <= threads + 2
    until = time.perf_counter() + 5
    while threading.active_count() > threads and time.perf_counter() < until:
        time.sleep(0.05)
    assert threading.active_count() <= threads  # a slow thread of an earlier test may have ended


@pytest.mark.parametrize(
    ("device", "options", "message"),
    [
        (-1, {}, "numbered from 0"),
        ("mouse.mp4", {}, "neither a webcam nor a stream; to play a file like a camera"),
        ("rtsp://host/live", {"width": 640}, "width of a stream is set by its sender"),
        (0, {"width": 0}, "width must be above 0"),
        (0, {"fourcc": "MJPEG"}, "four letters"),
        (0, {"silence": 0.0}, "silence must be above 0"),
    ],
)
def test_invalid_options_are_refused(device: int | str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        OpenCVCamera(device, **options)


def test_a_missing_webcam_is_an_error() -> None:
    with OpenCVCamera("/dev/video99") as camera, pytest.raises(SourceError, match="/dev/video99 does not exist"):
        camera.open()
    with OpenCVCamera(99) as camera, pytest.raises(SourceError, match="camera:99 does not open"):
        camera.open()


def test_names_hide_passwords() -> None:
    assert OpenCVCamera("rtsp://lab:secret@10.0.0.7/live").name == "rtsp://10.0.0.7/live"


def test_each_webcam_is_listed_once(tmp_path: Path) -> None:
    usb = tmp_path / "devices" / "usb1" / "1-2"
    interface = usb / "1-2:1.0"
    interface.mkdir(parents=True)
    for name, text in (("manufacturer", "Acme"), ("product", "HD Pro"), ("serial", "A1B2")):
        (usb / name).write_text(f"{text}\n", encoding="utf-8")
    listed = tmp_path / "video4linux"
    for number, index in ((0, 0), (1, 1), (10, 0), (2, 0)):
        node = listed / f"video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"Camera {number}\n", encoding="utf-8")
        (node / "index").write_text(f"{index}\n", encoding="utf-8")
        if number == 0:
            (node / "device").symlink_to(interface)
    devices = video4linux(listed)
    assert [device.source for device in devices] == ["camera:0", "camera:2", "camera:10"]
    assert (devices[0].name, devices[0].model, devices[0].serial) == ("Camera 0", "Acme HD Pro", "A1B2")
    assert video4linux(tmp_path / "nothing") == []
