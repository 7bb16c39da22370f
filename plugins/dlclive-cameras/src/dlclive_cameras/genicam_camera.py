"""GenICam cameras of all makers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_cameras.camera_options import CameraOptions
from dlclive_cameras.connection import Connection
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.vendor_import import importing
from dlclive_core import Device, UsageError


class GenICamCamera(LiveCamera):
    """A GenICam camera, by harvesters and the GenTL producer (.cti) of its maker.

    Cameras of one producer share it, also in several sessions of one process. The newest frame wins: `skipped` counts the
    older ones that were waiting. Incomplete buffers are counted in `corrupt`, numbers that never came in `lost`.
    `Frame.device_time` is the camera's clock, where producer and camera give it.

    Mono formats give grey (H, W) frames, all others RGB (H, W, 3); more than 8 bits are cut to the upper 8.

    Args:
        serial: of the camera; it stays the same camera wherever it is plugged in.
        index: which one, in the order in which the producer lists them, if there is no serial.
        producer: the .cti file; None: all in the folders of the environment variable GENICAM_GENTL64_PATH.
        exposure: microseconds; the camera's automatic exposure is switched off.
        gain: in the camera's unit, mostly decibels; the automatic gain is switched off.
        frame_rate: frames per second.
        region: x, y, width, height on the sensor, in pixels.
        pixel_format: for example "Mono8" or "BayerRG8".
        trigger: input of a hardware trigger, for example "Line1"; empty: the camera runs freely.
        trigger_edge: "rising", "falling" or "any".
        trigger_selector: what the signal starts.
        buffers: how many frames the producer may hold.
        reconnect: seconds to look for a camera that vanished; 0: SourceError at once.
        silence: seconds without a frame after which a camera that runs freely counts as vanished.
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
            raise UsageError(f"index counts cameras from 0; got {index}")
        if buffers < 2:
            raise UsageError(f"buffers is 2 or more: one is filled while the other is read; got {buffers}")
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
        if connection.serial:  # from now on this one, whatever else is plugged in
            self.serial, self.name = connection.serial, f"genicam:{connection.serial}"
        return connection

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The cameras that the installed producers see, also those that another program has opened."""
        with importing("genicam", "harvesters"):
            from dlclive_cameras.gentl_connection import list_devices

        return list_devices(None)
