"""Basler cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_cameras.camera_options import CameraOptions
from dlclive_cameras.connection import Connection
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.vendor_import import importing
from dlclive_core import Device, UsageError


class BaslerCamera(LiveCamera):
    """A Basler camera, USB or GigE, through pylon.

    `read` returns the newest frame: pylon keeps one, and `skipped` counts those that it overwrote. Incomplete frames are
    counted in `corrupt`, gaps in the camera's frame numbers in `lost`. `Frame.device_time` is the camera's clock, if any.

    Mono formats give grey (H, W) frames, all others RGB (H, W, 3); only the upper 8 bits of a pixel are kept.

    Args:
        serial: of the camera; identifies it on any port.
        index: position in pylon's list of cameras; used without a serial.
        exposure: microseconds; switches automatic exposure off.
        gain: decibels, or raw steps on older cameras; switches automatic gain off.
        frame_rate: frames per second.
        region: x, y, width, height on the sensor, in pixels.
        pixel_format: for example "Mono8" or "BayerRG8"; the pylon Viewer lists a camera's formats.
        trigger: input of a hardware trigger, for example "Line1"; empty: free-running.
        trigger_edge: "rising", "falling" or "any".
        trigger_selector: what a trigger starts.
        features: settings file (.pfs) saved by the pylon Viewer, loaded before all other options.
        reconnect: seconds to wait for a disconnected camera; 0: SourceError at once.
        silence: seconds without a frame after which a free-running camera counts as disconnected.
    """

    def __init__(
        self,
        serial: str = "",
        *,
        index: int = 0,
        exposure: float | None = None,
        gain: float | None = None,
        frame_rate: float | None = None,
        region: tuple[int, int, int, int] | None = None,
        pixel_format: str = "",
        trigger: str = "",
        trigger_edge: str = "rising",
        trigger_selector: str = "FrameStart",
        features: Path | None = None,
        reconnect: float = 60.0,
        silence: float = 5.0,
    ) -> None:
        super().__init__(reconnect=reconnect)
        if index < 0:
            raise UsageError(f"index must be 0 or more; got {index}")
        self.options = CameraOptions(
            exposure=exposure,
            gain=gain,
            frame_rate=frame_rate,
            region=region,
            pixel_format=pixel_format,
            trigger=trigger,
            trigger_edge=trigger_edge,
            trigger_selector=trigger_selector,
        )
        self.serial, self.index = serial, index
        self.features = features
        self.silence = silence
        self.name = f"basler:{serial or index}"

    def connect(self) -> Connection:
        with importing("basler", "pypylon"):
            from dlclive_cameras.pylon_connection import PylonConnection, find_serial

        serial = find_serial(self.serial, self.index)
        connection = PylonConnection(serial, self.options, self.features, self.silence)
        self.serial, self.name = serial, f"basler:{serial}"  # reconnect to this camera only
        return connection

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The Basler cameras that pylon sees, including those opened by another program."""
        with importing("basler", "pypylon"):
            from dlclive_cameras.pylon_connection import list_devices

        return [
            Device(
                source=f"basler:{info.GetSerialNumber()}",
                name=info.GetUserDefinedName() or info.GetFriendlyName(),
                model=info.GetModelName(),
                serial=info.GetSerialNumber(),
            )
            for info in list_devices()
        ]
