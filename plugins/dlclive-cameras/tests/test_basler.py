"""The Basler source, with the emulator that pypylon brings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from dlclive_cameras import BaslerCamera

from dlclive_core import FrameSource, Session, SourceError, UsageError
from dlclive_core.testing import FrameSourceContract, NullModel

if find_spec("pypylon") is None:
    pytest.skip("needs pypylon: pip install 'dlclive-cameras[basler]'", allow_module_level=True)
from dlclive_cameras.pylon_library import pylon


@pytest.fixture(autouse=True)
def emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYLON_CAMEMU", "2")  # read anew each time pylon lists cameras


@pytest.fixture
def camera() -> Iterator[BaslerCamera]:
    with BaslerCamera("0815-0001", frame_rate=20, region=(0, 0, 320, 240), exposure=1000) as made:
        made.open()
        yield made


def node(camera: BaslerCamera, name: str) -> Any:
    """A setting of the camera itself."""
    return camera._connection.camera.GetNodeMap().GetNode(name)  # type: ignore[union-attr]


class TestBaslerCamera(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return BaslerCamera(region=(0, 0, 64, 48))


class TestBaslerCameraInColour(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return BaslerCamera(index=1, pixel_format="BayerRG8", region=(0, 0, 64, 48))


def test_options_reach_the_camera() -> None:
    options: dict[str, Any] = {"exposure": 2500, "gain": 6, "frame_rate": 40, "region": (16, 8, 320, 240)}
    with BaslerCamera("0815-0001", **options) as camera:
        camera.open()
        assert node(camera, "ExposureTime").GetValue() == 2500
        assert abs(node(camera, "Gain").GetValue() - 6) < 0.1
        assert node(camera, "AcquisitionFrameRate").GetValue() == 40
        assert [node(camera, name).GetValue() for name in ("OffsetX", "OffsetY", "Width", "Height")] == [
            16,
            8,
            320,
            240,
        ]
        assert camera.fps == 40
        assert camera.frame_size == (320, 240)
        assert camera.name == "basler:0815-0001"
        assert camera.read(2.0).image.shape == (240, 320)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exposure": 1e9}, "takes exposure from 1 to 1e\\+07 us; got 1e\\+09"),
        ({"pixel_format": "Mono9"}, "no pixel_format 'Mono9'; did you mean 'Mono8'"),
        ({"trigger": "Line7"}, "no trigger 'Line7'; did you mean 'Line3'"),
        ({"region": (0, 0, 5000, 10)}, "region's width from 1 to 4096 px"),
        ({"region": (4000, 0, 200, 10)}, "region's x from 0 to 3896 px"),
    ],
)
def test_an_unsupported_setting_is_an_error_with_the_limits(options: dict[str, Any], message: str) -> None:
    with BaslerCamera(**options) as camera, pytest.raises(UsageError, match=message):
        camera.open()


def test_invalid_options_are_refused_before_the_camera_is_opened() -> None:
    for options in (
        {"exposure": -1.0},
        {"region": (0, 0, 0, 4)},
        {"trigger_edge": "up"},
        {"index": -1},
        {"reconnect": -1},
    ):
        with pytest.raises(UsageError):
            BaslerCamera(**options)


def test_the_error_for_an_unknown_serial_lists_the_cameras() -> None:
    with pytest.raises(SourceError, match="no Basler camera 4711: pylon sees 0815-0000, 0815-0001"):
        BaslerCamera("4711").open()
    with pytest.raises(SourceError, match="index 2"):
        BaslerCamera(index=2).open()


def test_failed_buffers_are_counted_and_give_no_frames(camera: BaslerCamera, cameras: Any) -> None:
    frames = [cameras.read(camera)]
    node(camera, "ForceFailedBufferCount").SetValue(3)
    node(camera, "ForceFailedBuffer").Execute()
    while camera.corrupt < 3 or len(frames) < 10:
        frames.append(cameras.read(camera))
    assert camera.corrupt == 3
    assert frames[-1].index + 1 == cameras.counted(camera, len(frames))


def test_skipped_images_are_counted(camera: BaslerCamera, cameras: Any) -> None:
    first = cameras.read(camera)
    time.sleep(1.0)
    second = cameras.read(camera)
    apart = second.captured_at - first.captured_at
    assert 10 <= camera.skipped <= 20 * apart + 2  # 20 frames/s; the camera's own number tells the truth
    assert camera.lost == 0
    assert second.index == first.index + 1 + camera.skipped
    assert second.index + 1 == cameras.counted(camera, 2)


def test_frames_lost_by_a_slow_model_are_counted() -> None:
    camera = BaslerCamera(frame_rate=90, region=(0, 0, 64, 48))

    class Slow(NullModel):
        def predict(self, image: Any, *, boxes: Any = None) -> Any:
            time.sleep(0.1)
            return super().predict(image)

    session = Session(source=camera, model=Slow(), max_frames=90)
    report = session.run()
    assert report.frames_read == report.processed + report.dropped
    assert report.dropped > report.processed >= 3


def test_a_session_survives_an_outage_and_can_be_stopped_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = BaslerCamera(frame_rate=50, region=(0, 0, 64, 48))
    session = Session(source=camera, model=NullModel())

    def trouble() -> None:
        wait(lambda: session.processed > 20)
        camera._connection.camera.DestroyDevice()  # type: ignore[union-attr]
        wait(lambda: camera.reconnects == 1)
        before = session.processed
        wait(lambda: session.processed > before + 20)
        monkeypatch.setenv("PYLON_CAMEMU", "0")
        camera._connection.camera.DestroyDevice()  # type: ignore[union-attr]
        wait(lambda: bool(camera.trouble))
        time.sleep(0.5)
        stopped.append(time.perf_counter())
        session.stop()

    def wait(true: Callable[[], bool]) -> None:
        until = time.perf_counter() + 30
        while not true() and time.perf_counter() < until:
            time.sleep(0.01)

    stopped: list[float] = []
    threading.Thread(target=trouble).start()
    report = session.run()
    assert time.perf_counter() - stopped[0] < 10
    assert (report.ending, report.complete, camera.reconnects) == ("stopped", True, 1)
    assert report.frames_read == report.processed + report.dropped
    assert report.processed > 40


@pytest.mark.parametrize("how", ["Close", "DestroyDevice", "StopGrabbing"])
def test_a_disconnected_camera_is_noticed_and_comes_back(camera: BaslerCamera, cameras: Any, how: str) -> None:
    before = [cameras.read(camera) for _ in range(15)][-1]
    getattr(camera._connection.camera, how)()  # type: ignore[union-attr]
    assert cameras.wait_for_loss(camera) < 15
    after = cameras.read(camera)
    outage = after.captured_at - before.captured_at
    assert (camera.trouble, camera.reconnects) == ("", 1)
    assert camera.lost >= 1
    assert abs(after.index - before.index - 20 * outage) <= 0.3 * 20 * outage + 4  # the gap is as long as the outage
    assert node(camera, "ExposureTime").GetValue() == 1000  # set again
    assert after.image.shape == (240, 320)


def test_a_camera_that_stays_away_for_a_while(
    camera: BaslerCamera, cameras: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras.read(camera)
    monkeypatch.setenv("PYLON_CAMEMU", "0")
    camera._connection.camera.DestroyDevice()  # type: ignore[union-attr]
    cameras.wait_for_loss(camera)
    until = time.perf_counter() + 0.7
    while time.perf_counter() < until:
        began = time.perf_counter()
        with pytest.raises(TimeoutError):
            camera.read(0.1)
        assert time.perf_counter() - began < 5
        assert "disconnected" in camera.trouble
    monkeypatch.setenv("PYLON_CAMEMU", "2")
    cameras.read(camera)
    assert camera.reconnects == 1
    assert camera.name == "basler:0815-0001"  # the same one, not the first one


def test_a_camera_that_does_not_come_back_is_an_error(monkeypatch: pytest.MonkeyPatch, cameras: Any) -> None:
    with BaslerCamera(reconnect=0.5) as camera:
        camera.open()
        cameras.read(camera)
        monkeypatch.setenv("PYLON_CAMEMU", "0")
        camera._connection.camera.DestroyDevice()  # type: ignore[union-attr]
        with pytest.raises(SourceError, match=r"did not come back within 0.5 s: .*pylon sees none"):
            cameras.read(camera)


def test_without_reconnect_it_is_an_error_at_once(cameras: Any) -> None:
    with BaslerCamera(reconnect=0) as camera:
        camera.open()
        cameras.read(camera)
        camera._connection.camera.Close()  # type: ignore[union-attr]
        with pytest.raises(SourceError, match="disconnected: it stopped grabbing"):
            cameras.read(camera)


def test_closing_during_an_outage_ends_the_reconnection(monkeypatch: pytest.MonkeyPatch, cameras: Any) -> None:
    camera = BaslerCamera()
    camera.open()
    monkeypatch.setenv("PYLON_CAMEMU", "0")
    camera._connection.camera.DestroyDevice()  # type: ignore[union-attr]
    cameras.wait_for_loss(camera)
    began = time.perf_counter()
    camera.close()
    assert time.perf_counter() - began < 5
    time.sleep(0.5)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dlclive reconnect")]


def fire(camera: BaslerCamera) -> None:
    """Fire the software trigger once the camera takes it: one that comes while it still sends a frame is dropped."""
    pylon_camera = camera._connection.camera  # type: ignore[union-attr]
    assert pylon_camera.WaitForFrameTriggerReady(30_000, pylon.TimeoutHandling_Return)
    pylon_camera.ExecuteSoftwareTrigger()


def test_a_trigger_is_waited_for(cameras: Any) -> None:
    with BaslerCamera(trigger="Software", region=(0, 0, 64, 48), silence=0.2) as camera:
        camera.open()
        assert camera.fps is None
        for _ in range(4):  # longer than `silence`, which is for cameras that run freely
            with pytest.raises(TimeoutError):
                camera.read(0.1)
        assert camera.trouble == ""
        for number in range(3):
            fire(camera)
            assert cameras.read(camera).index == number
        with pytest.raises(TimeoutError):
            camera.read(0.2)


def test_a_hardware_trigger_is_set_up() -> None:
    with BaslerCamera(trigger="Line1", trigger_edge="falling") as camera:
        camera.open()
        names = ("TriggerSelector", "TriggerMode", "TriggerSource", "TriggerActivation")
        assert [node(camera, name).GetValue() for name in names] == ["FrameStart", "On", "Line1", "FallingEdge"]


@pytest.mark.parametrize(
    "pixel_format", ["RGB8Packed", "BGR8Packed", "BGRA8Packed", "BayerRG8", "BayerGB8", "BayerRG12", "RGB16Packed"]
)
def test_colours_come_as_rgb(pixel_format: str, tmp_path: Path, cameras: Any) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32, 2] = picture[:, 32:, 0] = 240  # in BGR: left red, right blue
    cv2.imwrite(str(tmp_path / "picture.png"), picture)
    with BaslerCamera(pixel_format=pixel_format, region=(0, 0, 64, 48)) as camera:
        camera.open()
        pylon_camera = camera._connection.camera  # type: ignore[union-attr]
        pylon_camera.StopGrabbing()
        node(camera, "ImageFilename").SetValue(str(tmp_path))
        node(camera, "ImageFileMode").SetValue("On")
        node(camera, "TestImageSelector").SetValue("Off")
        pylon_camera.StartGrabbing(1)  # the newest frame only
        image = cameras.read(camera).image
    assert image.shape == (48, 64, 3)
    assert np.abs(image[24, 16].astype(int) - (240, 0, 0)).max() <= 2
    assert np.abs(image[24, 48].astype(int) - (0, 0, 240)).max() <= 2


@pytest.mark.parametrize("pixel_format", ["Mono8", "Mono12", "Mono16"])
def test_grey_stays_grey(pixel_format: str, cameras: Any) -> None:
    with BaslerCamera(pixel_format=pixel_format, region=(0, 0, 64, 48)) as camera:
        camera.open()
        image = cameras.read(camera).image
    assert (image.shape, image.dtype) == ((48, 64), np.uint8)
    assert image.min() < 80 < image.max()


def test_a_file_of_settings_is_loaded_and_its_trigger_kept(tmp_path: Path) -> None:
    from dlclive_cameras.pylon_library import pylon

    file = tmp_path / "camera.pfs"
    with BaslerCamera(trigger="Line2", exposure=777) as camera:
        camera.open()
        pylon.FeaturePersistence.Save(str(file), camera._connection.camera.GetNodeMap())  # type: ignore[union-attr]
    with BaslerCamera(features=file, gain=3) as camera:
        camera.open()
        assert node(camera, "ExposureTime").GetValue() == 777
        assert node(camera, "TriggerSource").GetValue() == "Line2"
        assert node(camera, "TriggerMode").GetValue() == "On"
        assert camera.fps is None
    with BaslerCamera(features=tmp_path / "none.pfs") as camera, pytest.raises(SourceError, match=r"none\.pfs"):
        camera.open()


def test_devices_are_listed() -> None:
    devices = BaslerCamera.devices()
    assert [device.source for device in devices] == ["basler:0815-0000", "basler:0815-0001"]
    assert (devices[1].serial, devices[1].model) == ("0815-0001", "Emulation")
