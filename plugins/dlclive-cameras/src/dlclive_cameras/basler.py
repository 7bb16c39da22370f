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
    """A Basler camera, by pylon: USB and GigE.

    The newest frame wins: pylon keeps one, and `skipped` counts those that it overwrote. Incomplete frames are counted in
    `corrupt`, numbers that never came in `lost`. `Frame.device_time` is the camera's clock, where it has one.

    Mono formats give grey (H, W) frames, all others RGB (H, W, 3); more than 8 bits are cut to the upper 8.

    Args:
        serial: of the camera; it stays the same camera wherever it is plugged in.
        index: which one, in the order in which pylon lists them, if there is no serial.
        exposure: microseconds; the camera's automatic exposure is switched off.
        gain: decibels, or the camera's own steps on older ones; the automatic gain is switched off.
        frame_rate: frames per second.
        region: x, y, width, height on the sensor, in pixels.
        pixel_format: for example "Mono8" or "BayerRG8"; see what a camera has in the pylon viewer.
        trigger: input of a hardware trigger, for example "Line1"; empty: the camera runs freely.
        trigger_edge: "rising", "falling" or "any".
        trigger_selector: what the signal starts.
        features: a file of settings (.pfs) that the pylon viewer saved, loaded before all other options.
        reconnect: seconds to look for a camera that vanished; 0: SourceError at once.
        silence: seconds without a frame after which a camera that runs freely counts as vanished.
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
            raise UsageError(f"index counts cameras from 0; got {index}")
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
        self.serial, self.name = serial, f"basler:{serial}"  # from now on this one, whatever else is plugged in
        return connection

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The Basler cameras that pylon sees, also those that another program has opened."""
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
