"""GenICam cameras of all manufacturers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_cameras.camera_options import CameraOptions
from dlclive_cameras.connection import Connection
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.vendor_import import importing
from dlclive_core import Device, UsageError


class GenICamCamera(LiveCamera):
    """A GenICam camera, through harvesters and its manufacturer's GenTL producer (.cti).

    Cameras of one producer share it, even in several sessions of one process. `read` returns the newest frame: `skipped`
    counts the older ones that were waiting. Incomplete buffers are counted in `corrupt`, gaps in the camera's frame
    numbers in `lost`. `Frame.device_time` is the camera's clock, if producer and camera provide it.

    Mono formats give grey (H, W) frames, all others RGB (H, W, 3); only the upper 8 bits of a pixel are kept.

    Args:
        serial: of the camera; identifies it on any port.
        index: position in the producer's list of cameras; used without a serial.
        producer: the .cti file; None: all in the folders of the environment variable GENICAM_GENTL64_PATH.
        exposure: microseconds; switches automatic exposure off.
        gain: in the camera's unit, mostly decibels; switches automatic gain off.
        frame_rate: frames per second.
        region: x, y, width, height on the sensor, in pixels.
        pixel_format: for example "Mono8" or "BayerRG8".
        trigger: input of a hardware trigger, for example "Line1"; empty: free-running.
        trigger_edge: "rising", "falling" or "any".
        trigger_selector: what a trigger starts.
        buffers: number of frame buffers of the producer.
        reconnect: seconds to wait for a disconnected camera; 0: SourceError at once.
        silence: seconds without a frame after which a free-running camera counts as disconnected.
    """

    def __init__(
        self,
        serial: str = "",
        *,
        index: int = 0,
        producer: Path | None = None,
        exposure: float | None = None,
        gain: float | None = None,
        frame_rate: float | None = None,
        region: tuple[int, int, int, int] | None = None,
        pixel_format: str = "",
        trigger: str = "",
        trigger_edge: str = "rising",
        trigger_selector: str = "FrameStart",
        buffers: int = 8,
        reconnect: float = 60.0,
        silence: float = 5.0,
    ) -> None:
        super().__init__(reconnect=reconnect)
        if index < 0:
            raise UsageError(f"index must be 0 or more; got {index}")
        if buffers < 2:
            raise UsageError(f"buffers must be 2 or more: one is filled while another is read; got {buffers}")
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
        self.serial, self.index, self.producer = serial, index, producer
        self.buffers = buffers
        self.silence = silence
        self.name = f"genicam:{serial or index}"

    def connect(self) -> Connection:
        with importing("genicam", "harvesters"):
            from dlclive_cameras.gentl_connection import GenTLConnection

        connection = GenTLConnection(
            self.producer, self.serial, self.index, self.options, buffers=self.buffers, silence=self.silence
        )
        if connection.serial:  # reconnect to this camera only
            self.serial, self.name = connection.serial, f"genicam:{connection.serial}"
        return connection

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The cameras that the installed producers see, including those opened by another program."""
        with importing("genicam", "harvesters"):
            from dlclive_cameras.gentl_connection import list_devices

        return list_devices(None)
