"""A webcam's driver that says one thing and does another. OpenCV stands between us and the driver, so it is played here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from dlclive_cameras import OpenCVCamera
from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.webcam_identity import webcam_identity

from dlclive_core import Frame, SourceError


class Driver:
    """Agrees to every setting, and sends what it likes."""

    sends = ((640, 480),)
    """(width, height) of the camera behind the number, each time it is opened; the last one stays."""
    frames = 10_000
    opened = 0

    def __init__(self, *arguments: object) -> None:
        kind = type(self)
        self.size = kind.sends[min(kind.opened, len(kind.sends) - 1)]
        kind.opened += 1
        self.properties = {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0, cv2.CAP_PROP_FPS: 100.0}
        self.left = self.frames

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def set(self, prop: int, value: float) -> bool:
        self.properties[prop] = float(value)
        return True

    def get(self, prop: int) -> float:
        return self.properties.get(prop, 0.0)

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.01)
        self.left -= 1
        return self.left >= 0, np.zeros((self.size[1], self.size[0], 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> type[Driver]:
    class Played(Driver):
        pass

    monkeypatch.setattr(cv2, "VideoCapture", Played)
    return Played


def test_the_first_frame_decides_on_the_size(driver: type[Driver]) -> None:
    driver.sends = ((1280, 960),)
    with OpenCVCamera(0, width=320, height=240) as camera:
        camera.open()
        assert camera.frame_size == (1280, 960)
        assert camera.notices == ("camera:0: the driver says 320x240 and sends 1280x960; the frames are 1280x960",)


def test_a_driver_that_keeps_its_word_is_not_mentioned(driver: type[Driver]) -> None:
    with OpenCVCamera(0, width=640, height=480) as camera:
        camera.open()
        assert (camera.frame_size, camera.notices) == ((640, 480), ())


def read_until_lost(camera: LiveCamera) -> list[Frame]:
    frames = []
    while not camera.trouble:
        try:
            frames.append(camera.read(0.1))
        except TimeoutError:
            continue
    return frames


def test_a_webcam_of_another_size_is_not_taken_for_the_one_that_vanished(driver: type[Driver]) -> None:
    driver.sends, driver.frames = ((640, 480), (320, 240)), 20
    with OpenCVCamera(0, reconnect=0.5) as camera:
        camera.open()
        shapes = {frame.image.shape for frame in read_until_lost(camera)}
        with pytest.raises(SourceError, match=r"another camera answers \(320x240, before 640x480\)"):
            while True:
                try:
                    shapes.add(camera.read(0.1).image.shape)
                except TimeoutError:
                    continue
    assert shapes == {(480, 640, 3)}


class Named(Connection):
    def __init__(self, identity: str, *, lost: bool = False) -> None:
        self.identity, self.lost = identity, lost
        self.frame_size, self.closed = (6, 4), False

    def grab(self, timeout: float) -> GrabResult:
        if self.lost:
            raise CameraLost("unplugged")
        return GrabResult(np.zeros((4, 6), np.uint8), time.perf_counter())

    def close(self) -> None:
        self.closed = True


class Swapped(LiveCamera):
    name = "swapped"

    def __init__(self, *connections: Named) -> None:
        super().__init__(reconnect=0.4)
        self.connections = list(connections)

    def connect(self) -> Connection:
        return self.connections.pop(0) if len(self.connections) > 1 else self.connections[0]


def test_a_camera_with_another_serial_number_is_refused_until_the_first_one_is_back() -> None:
    other, own = Named("webcam B2"), Named("webcam A1")
    with Swapped(Named("webcam A1", lost=True), other, own) as camera:
        camera.open()
        read_until_lost(camera)
        until = time.perf_counter() + 10
        while camera.trouble:
            assert time.perf_counter() < until
            try:
                camera.read(0.1)
            except TimeoutError:
                continue
        assert camera._connection is own
    assert other.closed


def test_a_webcam_is_identified_by_its_model_and_serial_number(tmp_path: Path) -> None:
    interface = tmp_path / "usb1" / "1-2" / "1-2:1.0"
    interface.mkdir(parents=True)
    node = tmp_path / "video4linux" / "video3"
    node.mkdir(parents=True)
    (node / "name").write_text("HD Cam\n")
    (node / "device").symlink_to(interface)
    (interface.parent / "serial").write_text("A1B2\n")
    folder = tmp_path / "video4linux"
    assert webcam_identity(3, folder) == webcam_identity("/dev/video3", folder) == "HD Cam A1B2"
    (interface.parent / "serial").write_text("C3D4\n")
    assert webcam_identity(3, folder) == "HD Cam C3D4"
    assert webcam_identity(4, folder) == webcam_identity("/dev/null", folder) == ""
