"""An open GenICam camera."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from genicam.genapi import EAccessMode, IInteger
from genicam.genapi import GenericException as NodeError
from genicam.gentl import DEVICE_ACCESS_STATUS_LIST as STATUS
from genicam.gentl import GenericException as ProducerError
from harvesters.core import Callback, ImageAcquirer
from numpy.typing import NDArray

from dlclive_cameras.camera_options import CameraOptions
from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.device_clock import ticks_to_seconds
from dlclive_cameras.features import Features
from dlclive_cameras.pixels import converts, to_image
from dlclive_cameras.producers import Producers
from dlclive_core import Device, SourceError, UsageError

_POLL = 0.0005  # seconds; the producer's own wait holds the GIL, which would stop all other threads
_MOMENT = 1e-4  # seconds
_STALE = 0.25  # seconds without polling after which waiting buffers are too old


def list_devices(producer: Path | None) -> Sequence[Device]:
    """The cameras that the producers see."""
    producers = Producers.use(producer)
    try:
        return [
            Device(
                source=f"genicam:{_info_text(info, 'serial_number')}",
                name=_info_text(info, "user_defined_name")
                or _info_text(info, "display_name")
                or _info_text(info, "id_"),
                model=f"{_info_text(info, 'vendor')} {_info_text(info, 'model')}".strip(),
                serial=_info_text(info, "serial_number"),
            )
            for info in producers.cameras()
        ]
    finally:
        producers.leave()


class GenTLConnection(Connection):
    """One GenICam camera, set up and acquiring."""

    def __init__(
        self,
        producer: Path | None,
        serial: str,
        index: int,
        options: CameraOptions,
        *,
        buffers: int,
        silence: float,
    ) -> None:
        self._producers: Producers | None = Producers.use(producer)
        self.acquirer: Any = None
        try:
            info = _find(self._producers.cameras(), serial, index)
            self.serial = _info_text(info, "serial_number") or _info_text(info, "id_")
            self.identity = self.serial
            self._name = f"camera {self.serial or index} ({_info_text(info, 'model')})"
            self.acquirer = self._producers.open_camera(info)
            self._set_up(options, buffers, silence)
            self.acquirer.start()
            self._tells_waiting = self._can_tell_waiting()
        except (ProducerError, NodeError) as error:
            self.close()
            what = f"GenICam camera {serial or index}"
            raise SourceError(f"{what} does not start: {_line(error)}; is it open in another program?") from error
        except BaseException:
            self.close()
            raise
        self._last = self._polled_at = time.perf_counter()

    def _set_up(self, options: CameraOptions, buffers: int, silence: float) -> None:
        nodes = self.acquirer.remote_device.node_map
        options.apply(Features(lambda name: _feature(nodes, name), self._name))
        self.acquirer.num_buffers = max(buffers, self.acquirer.min_num_buffers)
        self.acquirer.timeout_period_on_update_event_data_call = 0
        self._incomplete = _Incomplete()
        self.acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, self._incomplete)
        pixel_format = str(_read(nodes, "PixelFormat"))
        if not converts(pixel_format):
            raise UsageError(
                f"{self._name} gives {pixel_format}, which cannot be converted; choose another pixel_format"
            )
        self.frame_size = (int(_read(nodes, "Width")), int(_read(nodes, "Height")))
        self._ticks = float(_read(nodes, "GevTimestampTickFrequency") or 1e9)
        if options.trigger:
            self._silence = None
        else:
            names = (
                "AcquisitionResultingFrameRate",
                "ResultingFrameRate",
                "AcquisitionFrameRate",
                "AcquisitionFrameRateAbs",
            )
            self.fps = next((float(rate) for rate in (_read(nodes, name) for name in names) if rate), None)
            self._silence = max(silence, 3 / self.fps) if self.fps else silence

    def _can_tell_waiting(self) -> bool:
        """Whether the producer reports the number of waiting buffers, which is cheaper than trying to fetch one."""
        try:
            return self.acquirer.data_streams[0].num_awaiting_delivery >= 0
        except ProducerError:
            return False

    def grab(self, timeout: float) -> GrabResult:
        until = time.perf_counter() + timeout
        try:
            skipped = self._drop_old()
            while True:
                buffer = self._next()
                now = self._polled_at = time.perf_counter()
                if buffer is not None:
                    break
                corrupt = self._incomplete.take()
                if corrupt or skipped:
                    self._last = now
                    return GrabResult(None, now, skipped=skipped, corrupt=corrupt)
                if now >= until:
                    self._check_alive(now)
                    raise TimeoutError
                time.sleep(_POLL)
            while (newer := self._next()) is not None:
                buffer.queue()
                buffer, skipped = newer, skipped + 1
            self._last = now
            try:
                return self._grab_result(buffer, now, skipped)
            finally:
                buffer.queue()
        except (
            ProducerError,
            NodeError,
            AttributeError,
            IndexError,
        ) as error:  # the latter two: harvesters lost its parts
            raise CameraLost(_line(error)) from error

    def _next(self) -> Any:
        """The oldest waiting buffer, or None; an incomplete one is counted and gives None."""
        if self._tells_waiting and not self.acquirer.data_streams[0].num_awaiting_delivery:
            return None
        return self.acquirer.try_fetch(timeout=_MOMENT)

    def _drop_old(self) -> int:
        """After a pause, discard waiting buffers: they are old, and nothing tells how old."""
        dropped = 0
        if time.perf_counter() - self._polled_at > _STALE:
            while (buffer := self._next()) is not None:
                buffer.queue()
                dropped += 1
        return dropped

    def _grab_result(self, buffer: Any, now: float, skipped: int) -> GrabResult:
        part = buffer.payload.components[0]
        image = to_image(_rows(part), part.data_format)
        stamp = ticks_to_seconds(buffer.timestamp, 1e9 if _in_nanoseconds(buffer) else self._ticks)
        try:
            frame_id = int(buffer.module.frame_id)
        except ProducerError:
            frame_id = None
        return GrabResult(image, now, stamp, frame_id, skipped, self._incomplete.take())

    def _check_alive(self, now: float) -> None:
        """Raise CameraLost if the camera is gone. Called when no frame came."""
        if self.acquirer.device.access_status == STATUS.DEVICE_ACCESS_STATUS_NOACCESS:
            raise CameraLost("it cannot be reached")
        if self._silence is not None and now - self._last > self._silence:
            raise CameraLost(f"no frame for {self._silence:g} s")

    def close(self) -> None:
        producers, self._producers = self._producers, None
        if producers is None:
            return
        if self.acquirer is not None:
            producers.close_camera(self.acquirer)
        producers.leave()


class _Incomplete(Callback):  # type: ignore[misc] # harvesters has no types
    """Counts incomplete buffers; harvesters returns them to the camera by itself."""

    def __init__(self) -> None:
        self._count = 0

    def emit(self, context: object | None = None) -> None:
        self._count += 1

    def take(self) -> int:
        """The count since the last call."""
        count, self._count = self._count, 0
        return count


class _NodeFeature:
    """One setting, as a `Feature`."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def get(self) -> Any:
        return self._node.value

    def set(self, value: Any) -> None:
        self._node.value = round(value) if isinstance(self._node, IInteger) else value

    @property
    def limits(self) -> tuple[float, float, float]:
        return self._node.min, self._node.max, self._node.inc if isinstance(self._node, IInteger) else 0

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self._node.symbolics)


def _node(nodes: Any, name: str, *modes: int) -> Any:
    try:
        node = nodes.get_node(name)
        return node if node is not None and node.get_access_mode() in modes else None
    except NodeError:
        return None


def _feature(nodes: Any, name: str) -> _NodeFeature | None:
    node = _node(nodes, name, EAccessMode.RW, EAccessMode.WO)
    return None if node is None else _NodeFeature(node)


def _read(nodes: Any, name: str) -> Any:
    """The value of a setting, None if the camera does not have it."""
    node = _node(nodes, name, EAccessMode.RW, EAccessMode.RO)
    return None if node is None else node.value


def _rows(part: Any) -> NDArray[Any]:
    """A buffer's pixels as (H, W) or (H, W, channels), without padding."""
    height, width = part.height, part.width
    rows = part.data.reshape(height + part.y_padding, -1)[:height]
    channels = round(part.num_components_per_pixel)
    rows = rows[:, : width * channels]
    return np.ascontiguousarray(rows if channels == 1 else rows.reshape(height, width, channels))


def _in_nanoseconds(buffer: Any) -> bool:
    """Whether `buffer.timestamp` is in nanoseconds; else in ticks of the camera's clock."""
    try:
        return buffer.module.timestamp_ns is not None
    except ProducerError:
        return False


def _find(cameras: Sequence[Any], serial: str, index: int) -> Any:
    serials = [_info_text(info, "serial_number") or _info_text(info, "id_") for info in cameras]
    available = (
        f"the producer sees {', '.join(serials)}" if serials else "the producer sees none; check its cable and power"
    )
    if serial:
        if serial not in serials:
            raise SourceError(f"there is no GenICam camera {serial}: {available}")
        return cameras[serials.index(serial)]
    if index >= len(cameras):
        raise SourceError(f"there is no GenICam camera with index {index}: {available}")
    return cameras[index]


def _info_text(info: Any, what: str) -> str:
    """One field of a camera's description, empty if the producer does not know it."""
    try:
        return str(getattr(info, what) or "")
    except (ProducerError, AttributeError):
        return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
