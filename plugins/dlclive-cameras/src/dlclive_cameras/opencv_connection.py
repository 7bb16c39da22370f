"""An open webcam or stream, read by a background thread."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from dlclive_cameras.backlog import Backlog
from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.webcam_identity import webcam_identity
from dlclive_core import DLCLiveError, SourceError, UsageError

_PATIENCE = 0.8  # seconds that `close` waits for OpenCV; a session waits a second for its sources
_NO_CLOCK = ("http://", "https://", "tcp://")

# OpenCV and FFmpeg report each attempt to reconnect on the terminal. Errors are raised as SourceError instead.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


@dataclass(frozen=True, slots=True)
class WebcamOptions:
    """Settings of a webcam; None or empty keeps the camera's setting."""

    width: int | None
    height: int | None
    fps: float | None
    exposure: float | None
    fourcc: str

    def apply(self, capture: Any, name: str) -> None:
        """Apply the settings. Raises UsageError if the camera does not accept one."""
        if self.fourcc:  # first: the available sizes and rates depend on it
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*self.fourcc))
        settings = (
            ("width", self.width, cv2.CAP_PROP_FRAME_WIDTH),
            ("height", self.height, cv2.CAP_PROP_FRAME_HEIGHT),
            ("fps", self.fps, cv2.CAP_PROP_FPS),
        )
        for _, value, prop in settings:
            if value is not None:
                capture.set(prop, value)
        for option, value, prop in settings:
            actual = capture.get(prop)
            if value is not None and actual > 0 and abs(actual - value) > 0.5:
                raise UsageError(
                    f"{name} gives {option} {actual:g}, not {value:g}; list what it supports: v4l2-ctl --list-formats-ext"
                )
        if self.exposure is not None:
            if sys.platform == "linux":
                capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1)  # V4L2: manual
            if not capture.set(cv2.CAP_PROP_EXPOSURE, self.exposure):
                raise UsageError(f"{name} does not accept exposure {self.exposure:g}; omit the option")


class OpenCVConnection(Connection):
    """Opens and reads the camera in a thread, so that callers never wait for OpenCV longer than their timeout.

    The thread ends when the camera is gone, `close` is called or the program ends; it releases the camera itself, as soon as
    OpenCV returns. Python waits for it at its end: a thread that Python ends inside OpenCV aborts the process.

    What a driver says of its frames is compared with the first one, which counts. The frames that waited while a stream was
    opened or stood still are left out: newer ones are behind them.
    """

    def __init__(self, device: int | str, name: str, options: WebcamOptions | None, silence: float) -> None:
        self._device, self._name, self._options, self._silence = device, name, options, silence
        self._changed = threading.Condition()
        self._opened = False
        self._closed = False
        self._error: DLCLiveError | None = None
        self._ended = ""
        self._newest: tuple[Any, float, float | None] | None = None
        self._skipped = 0
        self._has_clock = True
        self._thread = threading.Thread(target=self._run, name=f"dlclive {name}", daemon=False)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._opened or self._ended, 2 * silence)
        if self._error is not None:
            raise self._error
        if not self._opened:
            self.close()
            reason = self._ended or f"no answer for {2 * silence:g} s"
            raise SourceError(f"{name} does not open: {reason}; check that it is on and reachable")
        self._last = time.perf_counter()

    def grab(self, timeout: float) -> GrabResult:
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended, timeout)
            newest, self._newest = self._newest, None
            skipped, self._skipped = self._skipped, 0
        if newest is None:
            if self._ended:
                raise CameraLost(self._ended)
            if time.perf_counter() - self._last > self._silence:
                raise CameraLost(f"no frame for {self._silence:g} s")
            raise TimeoutError
        picture, captured_at, device_time = newest
        self._last = captured_at
        code = cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB
        image = np.asarray(cv2.cvtColor(picture, code), dtype=np.uint8)
        return GrabResult(image, captured_at, device_time, None, skipped)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._newest = None
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        capture = None
        try:
            capture = self._open()
            backlog = Backlog(self._silence)
            while not self._closed and threading.main_thread().is_alive():
                ok, picture = capture.read()
                now = time.perf_counter()
                if not ok:
                    break
                stamp = capture.get(cv2.CAP_PROP_POS_MSEC) if self._has_clock else 0
                device_time = stamp / 1000 if stamp > 0 else None
                if backlog.holds(now, device_time):
                    with self._changed:
                        self._skipped += self._opened
                    continue
                if not self._opened:
                    self._compare(picture, device_time)
                with self._changed:
                    self._opened = True
                    self._skipped += self._newest is not None
                    self._newest = (picture, now, device_time)
                    self._changed.notify_all()
        except DLCLiveError as error:
            self._error = error
        except cv2.error as error:
            self._ended = " ".join(str(error).split())
        finally:
            if capture is not None:
                capture.release()
            with self._changed:
                self._ended = self._ended or "it stopped sending"
                self._changed.notify_all()

    def _compare(self, picture: Any, device_time: float | None) -> None:
        """Compare what was said of the frames with the first one."""
        declared, size = self.frame_size, (picture.shape[1], picture.shape[0])
        self.frame_size = size
        notices = []
        if declared is not None and declared != size:
            said, sent = (f"{width}x{height}" for width, height in (declared, size))
            notices.append(f"{self._name}: the driver says {said} and sends {sent}; the frames are {sent}")
        if self._options is None and device_time is None:
            notices.append(
                f"{self._name}: the stream carries no times, so a frame's age counts from its arrival, and one that waited in "
                "the network passes as new"
            )
        self.notices = tuple(notices)

    def _open(self) -> Any:
        params = []
        if self._options is None:
            limit = int(1000 * self._silence)
            params = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
            params += [cv2.CAP_PROP_N_THREADS, 1]  # each further thread of FFmpeg's decoders holds back a frame
            capture = cv2.VideoCapture(str(self._device), cv2.CAP_FFMPEG, params)
        else:
            device = self._device
            if isinstance(device, str):
                if not os.path.exists(device):  # noqa: PTH110 - a device, not a file
                    raise SourceError(f"{device} does not exist; check its cable, or list cameras: dlclive devices")
                device = os.path.realpath(device)  # OpenCV does not know /dev/v4l/by-id
            capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self._name} does not open; check that it is on, and not open in another program")
        if self._options is not None:
            self._options.apply(capture, self._name)
        width, height = (int(capture.get(prop)) for prop in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.frame_size = (width, height) if width > 0 and height > 0 else None
        # MJPEG over HTTP has no timestamps; FFmpeg invents some, at 25 frames/s.
        self._has_clock = not (str(self._device).startswith(_NO_CLOCK) and _codec(capture) == "MJPG")
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.fps = rate if 0 < rate <= 1000 and self._has_clock else None
        if self._options is not None:
            self.identity = webcam_identity(self._device)
        return capture


def _codec(capture: Any) -> str:
    return int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True).decode("latin-1").upper()
