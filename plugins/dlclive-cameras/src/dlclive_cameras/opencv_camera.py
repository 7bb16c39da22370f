"""Webcams and network streams."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dlclive_cameras.connection import Connection
from dlclive_cameras.live_camera import LiveCamera
from dlclive_cameras.webcam_identity import SYS
from dlclive_core import Device, UsageError

_URL = re.compile(r"(rtsp|rtsps|rtmp|http|https|tcp|udp|srt|rtp)://", re.IGNORECASE)


class OpenCVCamera(LiveCamera):
    """A webcam or a network stream, through OpenCV.

    A background thread reads, because OpenCV's `read` may block for 30 s; so `read(timeout)` always respects its timeout
    and returns the newest frame. `skipped` counts frames that were overwritten. OpenCV does not number frames: frames lost
    by a webcam's driver go unnoticed, and those lost in an outage are estimated from the rate.

    Frames are RGB (H, W, 3). `Frame.device_time` is the timestamp of V4L2 or of the stream, if there is one. `corrupt`
    stays 0: OpenCV does not report damaged frames.

    Args:
        device: number of a webcam (0 is the first), a V4L2 path such as /dev/video0 or /dev/v4l/by-id/..., or a URL:
            rtsp, http, tcp, udp, srt.
        width: frame width in pixels (webcams only).
        height: frame height in pixels (webcams only).
        fps: frames per second (webcams only).
        exposure: in the driver's unit (V4L2: 100 us; Windows: powers of two of a second; webcams only).
        fourcc: transfer format of a webcam, for example "MJPG", without which USB 2 is too slow for large frames.
        reconnect: seconds to wait for a disconnected camera; 0: SourceError at once.
        silence: seconds without a frame after which the camera counts as disconnected; `open` waits up to twice as long.
    """

    def __init__(
        self,
        device: int | str = 0,
        *,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
        exposure: float | None = None,
        fourcc: str = "",
        reconnect: float = 60.0,
        silence: float = 5.0,
    ) -> None:
        super().__init__(reconnect=reconnect)
        self.device = int(device) if isinstance(device, str) and device.isdecimal() else device
        self.is_network = isinstance(self.device, str) and _URL.match(self.device) is not None
        if isinstance(self.device, int) and self.device < 0:
            raise UsageError(f"webcams are numbered from 0; got {self.device}")
        if isinstance(self.device, str) and not self.is_network and not self.device.startswith("/dev/"):
            raise UsageError(
                f"{self.device!r} is neither a webcam nor a stream; to play a file like a camera, use video with realtime"
            )
        settings = {"width": width, "height": height, "fps": fps, "exposure": exposure, "fourcc": fourcc or None}
        unsupported = [option for option, value in settings.items() if value is not None]
        if self.is_network and unsupported:
            raise UsageError(f"{unsupported[0]} of a stream is set by its sender; omit the option")
        for option in ("width", "height", "fps"):
            if (value := settings[option]) is not None and not float(value) > 0:
                raise UsageError(f"{option} must be above 0; got {value}")
        if fourcc and len(fourcc) != 4:
            raise UsageError(f"fourcc must be four letters, for example MJPG; got {fourcc!r}")
        if not silence > 0:
            raise UsageError(f"silence must be above 0; got {silence:g}")
        self.width, self.height, self.rate = width, height, fps
        self.exposure, self.fourcc = exposure, fourcc
        self.silence = silence
        self.name = _without_password(str(device)) if self.is_network else f"camera:{device}"

    def connect(self) -> Connection:
        from dlclive_cameras.opencv_connection import OpenCVConnection, WebcamOptions

        options = None
        if not self.is_network:
            options = WebcamOptions(self.width, self.height, self.rate, self.exposure, self.fourcc)
        return OpenCVConnection(self.device, self.name, options, self.silence)

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The webcams known to Linux; OpenCV cannot list any."""
        return video4linux(SYS)


def video4linux(folder: Path) -> Sequence[Device]:
    """The cameras in /sys/class/video4linux, each once, without their metadata nodes."""
    devices = []
    for node in sorted(folder.glob("video*"), key=lambda path: int(re.sub(r"\D", "", path.name) or 0)):
        if _text(node / "index") in ("", "0"):
            number = re.sub(r"\D", "", node.name)
            usb = (node / "device").resolve().parent  # the device is one interface of the camera
            model = f"{_text(usb / 'manufacturer')} {_text(usb / 'product')}".strip()
            devices.append(Device(f"camera:{number}", _text(node / "name") or node.name, model, _text(usb / "serial")))
    return devices


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _without_password(url: str) -> str:
    """The URL for messages, logs and reports."""
    return re.sub(r"//[^/@]*@", "//", url)
