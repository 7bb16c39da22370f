"""An open Basler camera."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import Any

from dlclive_cameras.camera_options import CameraOptions
from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.device_clock import ticks_to_seconds
from dlclive_cameras.features import Features
from dlclive_cameras.pixels import to_image
from dlclive_cameras.pylon_library import genicam, pylon
from dlclive_core import SourceError

# Formats whose memory layout numpy can view; pylon unpacks and converts the others.
_PLAIN = re.compile(r"(Mono|Bayer(RG|GR|GB|BG))(8|10|12|16)|(RGB|BGR)8(Packed)?", re.IGNORECASE)
_NEEDS_NO_CONVERSION = ("Mono8", "RGB8", "RGB8Packed")
_NO_ID = 0xFFFFFFFFFFFFFFFF  # pylon: this camera does not number its frames


def list_devices() -> list[Any]:
    """pylon's description of each camera that is connected."""
    try:
        return list(pylon.TlFactory.GetInstance().EnumerateDevices())
    except pylon.GenericException as error:
        raise SourceError(f"pylon cannot list cameras: {_line(error)}") from error


def find_serial(serial: str, index: int) -> str:
    """The serial number of the camera with this serial or index. Raises SourceError, listing the available cameras."""
    serials = [info.GetSerialNumber() for info in list_devices()]
    available = f"pylon sees {', '.join(serials)}" if serials else "pylon sees none; check its cable and power"
    if serial:
        if serial not in serials:
            raise SourceError(f"there is no Basler camera {serial}: {available}")
        return serial
    if index >= len(serials):
        raise SourceError(f"there is no Basler camera with index {index}: {available}")
    return str(serials[index])


class PylonConnection(Connection):
    """One Basler camera, set up and grabbing; pylon keeps only the newest frame."""

    def __init__(self, serial: str, options: CameraOptions, features: Path | None, silence: float) -> None:
        self._name, self.identity = f"Basler camera {serial}", serial
        info = pylon.DeviceInfo()
        info.SetSerialNumber(serial)
        self.camera = pylon.InstantCamera()
        try:
            self.camera.Attach(pylon.TlFactory.GetInstance().CreateDevice(info))
            self.camera.Open()  # pylon switches all triggers off and acquisition to continuous here
            self._set_up(options, features)
            self.camera.StartGrabbing(pylon.GrabStrategy_LatestImageOnly)
            self._silence = self._longest_silence(silence)
        except pylon.GenericException as error:
            self.close()
            raise SourceError(f"{self._name} does not start: {_line(error)}; is it open in another program?") from error
        except BaseException:
            self.close()
            raise
        self._last = time.perf_counter()

    def _set_up(self, options: CameraOptions, features: Path | None) -> None:
        nodes = self.camera.GetNodeMap()
        if features is not None:
            try:
                pylon.FeaturePersistence.Load(str(features), nodes, True)
            except pylon.GenericException as error:
                raise SourceError(f"{features} cannot be loaded into {self._name}: {_line(error)}") from error
        camera = Features(lambda name: _feature(nodes, name), self._name)
        options.apply(camera, keep_trigger=features is not None)
        self._triggered = _read(nodes, "TriggerMode") == "On"
        self.frame_size = (nodes.GetNode("Width").GetValue(), nodes.GetNode("Height").GetValue())
        self._format = nodes.GetNode("PixelFormat").GetValue()
        self._converter = None if _PLAIN.fullmatch(self._format) else _converter(self._format)
        self._ticks = _read(nodes, "GevTimestampTickFrequency") or 1e9  # other cameras count nanoseconds
        if not self._triggered:
            names = ("ResultingFrameRate", "BslResultingAcquisitionFrameRate", "ResultingFrameRateAbs")
            self.fps = next((float(rate) for rate in (_read(nodes, name) for name in names) if rate), None)

    def _longest_silence(self, silence: float) -> float | None:
        """Seconds without a frame after which the camera is lost; None with a trigger, which may pause for any time."""
        if self._triggered:
            return None
        return max(silence, 3 / self.fps) if self.fps else silence

    def grab(self, timeout: float) -> GrabResult:
        try:
            result = self.camera.RetrieveResult(max(0, round(1000 * timeout)), pylon.TimeoutHandling_Return)
            now = time.perf_counter()
            if not result.IsValid():
                self._check_alive(now)
                raise TimeoutError
            self._last = now
            try:
                return self._grab_result(result, now)
            finally:
                result.Release()
        except pylon.GenericException as error:
            raise CameraLost(_line(error)) from error

    def _grab_result(self, result: Any, now: float) -> GrabResult:
        skipped = int(result.GetNumberOfSkippedImages())
        block = result.GetBlockID()
        frame_id = None if block == _NO_ID else int(block)
        if not result.GrabSucceeded():
            return GrabResult(None, now, None, frame_id, skipped, corrupt=1)
        if self._format in _NEEDS_NO_CONVERSION:
            image = result.GetArray()  # a copy
        elif self._converter is not None:
            image = self._converter.Convert(result).GetArray()
        else:
            with result.GetArrayZeroCopy() as pixels:
                image = to_image(pixels, self._format)
        return GrabResult(image, now, ticks_to_seconds(result.GetTimeStamp(), self._ticks), frame_id, skipped)

    def _check_alive(self, now: float) -> None:
        """Raise CameraLost if the camera is gone. Called when no frame came."""
        if self.camera.IsCameraDeviceRemoved():
            raise CameraLost("it was unplugged")
        if not self.camera.IsGrabbing():
            raise CameraLost("it stopped grabbing")
        if self._silence is not None and now - self._last > self._silence:
            raise CameraLost(f"no frame for {self._silence:g} s")

    def close(self) -> None:
        with contextlib.suppress(pylon.GenericException):
            self.camera.StopGrabbing()
        with contextlib.suppress(pylon.GenericException):
            self.camera.Close()
        with contextlib.suppress(pylon.GenericException):
            self.camera.DestroyDevice()


class _PylonFeature:
    """One setting, as a `Feature`."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def get(self) -> Any:
        return self._node.GetValue()

    def set(self, value: Any) -> None:
        self._node.SetValue(round(value) if isinstance(self._node, pylon.IntegerParameter) else value)

    @property
    def limits(self) -> tuple[float, float, float]:
        step = self._node.GetInc() if isinstance(self._node, pylon.IntegerParameter) else 0
        return self._node.GetMin(), self._node.GetMax(), step

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self._node.GetSettableValues())


def _feature(nodes: Any, name: str) -> _PylonFeature | None:
    node = nodes.GetNode(name)
    return _PylonFeature(node) if node is not None and genicam.IsWritable(node) else None


def _read(nodes: Any, name: str) -> Any:
    """The value of a setting, None if the camera does not have it."""
    node = nodes.GetNode(name)
    return node.GetValue() if node is not None and genicam.IsReadable(node) else None


def _converter(pixel_format: str) -> Any:
    converter = pylon.ImageFormatConverter()
    mono = pixel_format.startswith("Mono")
    converter.OutputPixelFormat = pylon.PixelType_Mono8 if mono else pylon.PixelType_RGB8packed
    return converter


def _line(error: Exception) -> str:
    """pylon's message without the source location."""
    return " ".join(str(error).split(" : ")[0].split()).rstrip(". ")
