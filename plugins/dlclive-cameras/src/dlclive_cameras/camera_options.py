"""The settings of an industrial camera, and the order in which they are applied."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_cameras.features import Features
from dlclive_core import UsageError

_EDGES = {"rising": "RisingEdge", "falling": "FallingEdge", "any": "AnyEdge"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """Settings for BaslerCamera and GenICamCamera; None or empty keeps the camera's setting.

    Attributes:
        exposure: microseconds.
        gain: in the camera's unit, mostly decibels.
        frame_rate: frames per second; with a trigger, the upper limit.
        region: x, y, width, height on the sensor, in pixels.
        pixel_format: GenICam name, for example "Mono8" or "BayerRG8".
        trigger: input of the trigger signal, for example "Line1"; empty: free-running.
        trigger_edge: "rising", "falling" or "any".
        trigger_selector: what a trigger starts, on nearly all cameras "FrameStart".
    """

    exposure: float | None = None
    gain: float | None = None
    frame_rate: float | None = None
    region: tuple[int, int, int, int] | None = None
    pixel_format: str = ""
    trigger: str = ""
    trigger_edge: str = "rising"
    trigger_selector: str = "FrameStart"

    def __post_init__(self) -> None:
        for option in ("exposure", "frame_rate"):
            value = getattr(self, option)
            if value is not None and not value > 0:
                raise UsageError(f"{option} must be above 0; got {value:g}")
        if self.region is not None:
            whole = len(self.region) == 4 and all(isinstance(value, int) for value in self.region)
            if not whole or min(self.region[:2]) < 0 or min(self.region[2:]) < 1:
                raise UsageError(f"region must be x, y, width, height in pixels; got {list(self.region)}")
        if self.trigger_edge not in _EDGES:
            raise UsageError(f"trigger_edge must be one of {', '.join(_EDGES)}; got {self.trigger_edge!r}")

    def apply(self, camera: Features, *, keep_trigger: bool = False) -> None:
        """Apply the settings to a camera that is not acquiring. Raises UsageError if it does not support one.

        Without `trigger`, the camera's own trigger is switched off, unless `keep_trigger` is set.
        """
        if self.pixel_format:
            camera.set_enum("pixel_format", self.pixel_format, "PixelFormat")
        if self.region is not None:
            x, y, width, height = self.region
            for name in ("OffsetX", "OffsetY"):  # zero the offset first: it limits the size
                camera.try_set(name, 0)
            camera.set_number("region's width", width, " px", "Width")
            camera.set_number("region's height", height, " px", "Height")
            if x or camera.first("OffsetX"):
                camera.set_number("region's x", x, " px", "OffsetX")
            if y or camera.first("OffsetY"):
                camera.set_number("region's y", y, " px", "OffsetY")
        if self.exposure is not None:
            camera.try_set("ExposureAuto", "Off")
            camera.set_number("exposure", self.exposure, " us", "ExposureTime", "ExposureTimeAbs", "ExposureTimeRaw")
        if self.gain is not None:
            camera.try_set("GainAuto", "Off")
            camera.set_number("gain", self.gain, "", "Gain", "GainRaw")
        if self.trigger or not keep_trigger:
            self._apply_trigger(camera)
        if self.frame_rate is not None:  # after the exposure, which limits it
            camera.try_set("AcquisitionFrameRateEnable", True)
            rates = ("AcquisitionFrameRate", "AcquisitionFrameRateAbs")
            camera.set_number("frame_rate", self.frame_rate, " frames/s", *rates)

    def _apply_trigger(self, camera: Features) -> None:
        camera.try_set("AcquisitionMode", "Continuous")
        if not self.trigger:
            camera.try_set("TriggerMode", "Off")
            return
        camera.set_enum("trigger_selector", self.trigger_selector, "TriggerSelector")
        camera.set_enum("trigger", self.trigger, "TriggerSource")
        if self.trigger != "Software":
            camera.set_enum("trigger_edge", _EDGES[self.trigger_edge], "TriggerActivation")
        camera.set_enum("trigger mode", "On", "TriggerMode")
