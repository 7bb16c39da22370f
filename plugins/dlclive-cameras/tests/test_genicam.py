"""The GenICam source, with the GenTL producer that the wheel of genicam brings: three cameras, red, green and blue."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_cameras import GenICamCamera

from dlclive_core import FrameSource, SourceError, UsageError
from dlclive_core.testing import FrameSourceContract

if find_spec("harvesters") is None:
    pytest.skip("needs harvesters: pip install 'dlclive-cameras[genicam]'", allow_module_level=True)

import genicam

PRODUCER = Path(genicam.__file__).parent / "viky.cti"

if not PRODUCER.exists():
    pytest.skip("this wheel of genicam brings no producer", allow_module_level=True)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENICAM_GENTL64_PATH", str(PRODUCER.parent))


@pytest.fixture
def camera() -> Iterator[GenICamCamera]:
    with GenICamCamera("1", frame_rate=50, pixel_format="Mono8", buffers=16) as made:
        made.open()
        yield made


def acquirer(camera: GenICamCamera) -> Any:
    return camera._connection.acquirer  # type: ignore[union-attr]


class TestGenICamCamera(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return GenICamCamera(frame_rate=100)


class TestGenICamCameraInGrey(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return GenICamCamera("2", producer=PRODUCER, pixel_format="Mono8", frame_rate=100)


def test_options_reach_the_camera() -> None:
    with GenICamCamera("1", frame_rate=40, region=(0, 0, 300, 200), pixel_format="Mono8") as camera:
        camera.open()
        nodes = acquirer(camera).remote_device.node_map
        assert (nodes.Width.value, nodes.Height.value, nodes.PixelFormat.value) == (300, 200, "Mono8")
        assert camera.fps == 40
        assert camera.frame_size == (300, 200)
        assert camera.read(2.0).image.shape == (200, 300)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exposure": 1000.0}, "cannot set exposure: it has no ExposureTime or ExposureTimeAbs"),
        ({"pixel_format": "Mono9"}, "no pixel_format 'Mono9'; did you mean 'Mono8'"),
        ({"frame_rate": 1000.0}, "takes frame_rate from 1 to 200 frames/s; got 1000"),
        ({"region": (0, 0, 50, 100)}, "region's width from 100 to 800 px; got 50"),
        ({"region": (8, 0, 100, 100)}, "cannot set region's x: it has no OffsetX"),
        ({"trigger": "Line1"}, "cannot set trigger_selector"),
    ],
)
def test_an_unsupported_setting_is_an_error_with_the_limits(options: dict[str, Any], message: str) -> None:
    with GenICamCamera(**options) as camera, pytest.raises(UsageError, match=message):
        camera.open()


def test_colours_come_as_rgb() -> None:
    for index, channel in enumerate((0, 1, 2)):  # the cameras' balls are red, green and blue
        with GenICamCamera(index=index) as camera:
            camera.open()
            image = camera.read(2.0).image.astype(int)
        ball = image[np.ptp(image, axis=2) > 100]
        assert len(ball) > 100
        assert (ball.argmax(axis=1) == channel).all()


def test_cameras_of_one_producer_share_it(camera: GenICamCamera, cameras: Any) -> None:
    with GenICamCamera("2") as other, GenICamCamera(index=0, producer=PRODUCER) as third:
        other.open()
        third.open()
        for _ in range(3):
            assert {cameras.read(each).source for each in (camera, other, third)} == {
                "genicam:0",
                "genicam:1",
                "genicam:2",
            }
        assert len(GenICamCamera.devices()) == 3  # looking does not disturb them
        other.close()
        cameras.read(camera)
        cameras.read(third)
    cameras.read(camera)


def test_gaps_are_lost_and_old_frames_are_skipped(camera: GenICamCamera, cameras: Any) -> None:
    before = cameras.read(camera)
    skipped = camera.skipped
    time.sleep(1.0)  # the buffers hold 16 frames, 50 come
    after = cameras.read(camera)
    assert 10 <= camera.skipped - skipped <= 45  # the buffers, and what comes while they are emptied
    assert camera.lost >= 15
    assert after.index + 1 == cameras.counted(camera, 2)
    assert abs((after.index - before.index) - 50 * (after.captured_at - before.captured_at)) < 5
    following = cameras.read(camera)
    apart = following.captured_at - after.captured_at
    assert following.index - after.index < 50 * apart + 5  # what was old is gone


def test_a_slow_reader_gets_the_newest_frame(camera: GenICamCamera, cameras: Any) -> None:
    numbers = []
    for _ in range(5):
        numbers.append(cameras.read(camera).index)
        time.sleep(0.1)
    assert camera.skipped >= 8
    assert numbers[-1] + 1 == cameras.counted(camera, 5)


def test_incomplete_buffers_are_counted_and_give_no_frames(camera: GenICamCamera, cameras: Any) -> None:
    """The producer makes none: here harvesters is told that three buffers are incomplete."""
    frames = [cameras.read(camera)]
    acquired = acquirer(camera)
    (events,) = acquired._new_buffer_event_monitor_dict.values()
    left = [3]

    class Buffer:
        def __init__(self, buffer: Any) -> None:
            self._buffer = buffer

        def is_complete(self) -> bool:
            left[0] -= 1
            return left[0] < 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._buffer, name)

    class Events:
        def update_event_data(self, timeout: int) -> None:
            events.update_event_data(timeout)

        @property
        def buffer(self) -> Any:
            return Buffer(events.buffer) if left[0] > 0 else events.buffer

    (key,) = acquired._new_buffer_event_monitor_dict
    acquired._new_buffer_event_monitor_dict[key] = Events()
    while len(frames) < 8:
        frames.append(cameras.read(camera))
    assert camera.corrupt == 3
    assert frames[-1].index + 1 == cameras.counted(camera, len(frames))


def test_a_disconnected_camera_is_noticed_and_comes_back(camera: GenICamCamera, cameras: Any) -> None:
    with GenICamCamera("2") as other:
        other.open()
        before = [cameras.read(camera) for _ in range(15)][-1]
        acquirer(camera).device.module.close()
        assert cameras.wait_for_loss(camera) < 1.0
        cameras.read(other)  # the other one goes on
        after = cameras.read(camera)
        outage = after.captured_at - before.captured_at
        assert (camera.trouble, camera.reconnects) == ("", 1)
        assert camera.lost >= 1
        assert abs(after.index - before.index - 50 * outage) <= 0.3 * 50 * outage + 3
        assert after.image.ndim == 2  # set again
        cameras.read(other)


def test_a_silent_camera_counts_as_disconnected(cameras: Any) -> None:
    with GenICamCamera(silence=0.3, frame_rate=20) as camera:
        camera.open()
        cameras.read(camera)
        acquirer(camera).remote_device.node_map.AcquisitionStop.execute()
        assert 0.1 < cameras.wait_for_loss(camera) < 1.5
        assert "no frame for 0.3 s" in camera.trouble
        cameras.read(camera)
        assert camera.reconnects == 1


def test_the_handler_of_ctrl_c_is_kept() -> None:
    before = signal.getsignal(signal.SIGINT)
    with GenICamCamera() as camera:
        camera.open()
        assert signal.getsignal(signal.SIGINT) is before


def test_a_camera_in_use_is_an_error(camera: GenICamCamera) -> None:
    with GenICamCamera("1") as second, pytest.raises(SourceError, match="is it open in another program"):
        second.open()
    camera.read(1.0)


def test_a_missing_producer_or_camera_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"no GenTL producer .*none\.cti"):
        GenICamCamera(producer=tmp_path / "none.cti").open()
    with pytest.raises(SourceError, match="no GenICam camera 77: the producer sees 0, 1, 2"):
        GenICamCamera("77").open()
    (tmp_path / "broken.cti").write_bytes(b"no library")
    with pytest.raises(SourceError, match=r"broken\.cti"):
        GenICamCamera(producer=tmp_path / "broken.cti").open()
    monkeypatch.setenv("GENICAM_GENTL64_PATH", str(tmp_path / "empty"))
    with pytest.raises(SourceError, match="GENICAM_GENTL64_PATH names no folder"):
        GenICamCamera().open()


def test_devices_are_listed() -> None:
    devices = GenICamCamera.devices()
    assert [device.source for device in devices] == ["genicam:0", "genicam:1", "genicam:2"]
    assert "Viky" in devices[0].model
