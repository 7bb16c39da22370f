"""The base of all cameras: frame numbers, counters of missing frames, reconnection."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod

from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.frame_ids import FrameIds
from dlclive_cameras.reconnection import Reconnection
from dlclive_core import Frame, FrameSource, SourceError, UsageError

_log = logging.getLogger("dlclive")
_ENOUGH_FRAMES, _ENOUGH_SECONDS = 10, 3.0  # needed to measure the rate


class LiveCamera(FrameSource):
    """A camera that reconnects after an outage. Subclasses implement `connect`.

    `Frame.index` is the number of frames before it: those read and those in `corrupt`, `skipped` and `lost`. An outage
    counts as many lost frames as would have come at the previous rate, at least one.

    Args:
        reconnect: seconds to wait for a disconnected camera; 0: SourceError at once.
    """

    is_live = True

    def __init__(self, *, reconnect: float) -> None:
        if reconnect < 0:
            raise UsageError(f"reconnect must be 0 s (fail at once) or more; got {reconnect:g}")
        self.reconnect = reconnect
        self._connection: Connection | None = None
        self._reconnection: Reconnection | None = None

    @abstractmethod
    def connect(self) -> Connection:
        """Open the camera and start it. Raises SourceError, UsageError or DependencyError.

        Called by `open`, and after an outage by another thread.
        """

    def open(self) -> None:
        """Open the camera and start it.

        Raises:
            SourceError: the camera does not exist, is open in another program, or does not respond.
            UsageError: the camera does not support an option's value.
        """
        self.close()
        self.corrupt = self.skipped = self.lost = self.reconnects = 0
        self.trouble = ""
        self._read = 0
        self._first_at = self._last_at = 0.0
        self._first_number = 0
        self.notices = ()
        connection = self.connect()
        self._identity, self._size = connection.identity, connection.frame_size
        self._attach(connection)

    def read(self, timeout: float) -> Frame:
        """Return the newest frame: RGB (H, W, 3) or grey (H, W), uint8.

        Raises:
            TimeoutError: no frame came in time; if the camera is disconnected, `trouble` says so.
            SourceError: the camera was disconnected and did not come back, or the source is not open.
        """
        until = time.perf_counter() + timeout
        connection = self._connection or self._await_reconnection(timeout)
        while True:
            try:
                result = connection.grab(max(0.0, until - time.perf_counter()))
            except CameraLost as error:
                self._handle_loss(connection, str(error))
                raise TimeoutError(self.trouble) from error
            self._count(result)
            if result.image is not None:
                break
        frame = Frame(result.image, self._numbered - self._behind, result.captured_at, result.device_time, self.name)
        self._read += 1
        return frame

    def close(self) -> None:
        """Release the camera, or stop waiting for it; the counters stay readable."""
        reconnection, self._reconnection = self._reconnection, None
        connection, self._connection = self._connection, None
        if reconnection is not None:
            reconnection.stop()
        if connection is not None:
            connection.close()

    def _attach(self, connection: Connection) -> None:
        self._connection = connection
        self._ids = FrameIds()
        self._grabbed = self._unnumbered = 0  # frames of this connection; frames since the last one with a number
        self._behind = 0  # of the last frame: how many numbers it was behind the newest
        self.notices += tuple(notice for notice in connection.notices if notice not in self.notices)
        self.frame_size, self.fps = connection.frame_size, connection.fps

    def _await_reconnection(self, timeout: float) -> Connection:
        """The connection after an outage."""
        if self._reconnection is None:
            raise SourceError(f"{self.name} is not open: call open() first")
        connection = self._reconnection.wait(timeout)
        self._reconnection = None
        self._rate = self._measured_rate()
        self._attach(connection)
        return connection

    def _handle_loss(self, connection: Connection, reason: str) -> None:
        self._connection = None
        if self.reconnect == 0:
            connection.close()
            raise SourceError(f"{self.name} disconnected: {reason}; check its cable and power")
        self.trouble = f"{self.name} disconnected: {reason}"
        _log.warning("%s; trying to reconnect for %g s", self.trouble, self.reconnect)
        self._reconnection = Reconnection(self._connect_again, connection, self.reconnect, self.name)

    def _connect_again(self) -> Connection:
        """`connect`, and refuse another camera: its frames would pass as those of the one that vanished."""
        connection = self.connect()
        known = self._identity and connection.identity
        if known and connection.identity != self._identity:
            other, own = connection.identity, self._identity
        elif not known and self._size and connection.frame_size and connection.frame_size != self._size:
            other, own = (f"{width}x{height}" for width, height in (connection.frame_size, self._size))
        else:
            return connection
        connection.close()
        raise SourceError(f"another camera answers ({other}, before {own}); connect the first one again")

    def _measured_rate(self) -> float:
        """Frames per second before the outage, as measured or declared; 0 if unknown."""
        frames, span = self._numbered - self._first_number, self._last_at - self._first_at
        measured = frames / span if frames >= _ENOUGH_FRAMES and span > 0 else 0.0
        return measured if span > _ENOUGH_SECONDS else self.fps or measured  # a stream starts with a burst

    @property
    def _numbered(self) -> int:
        """The index of the next frame."""
        return self._read + self.corrupt + self.skipped + self.lost

    def _count(self, result: GrabResult) -> None:
        """Update the counters. Frames that the camera numbered but the driver did not receive are lost."""
        self.skipped += result.skipped
        self.corrupt += result.corrupt
        self._unnumbered += result.skipped + result.corrupt + (result.image is not None)
        self._behind = 0
        if result.frame_id is not None:
            step = self._ids.advance(result.frame_id)
            if self._ids.behind and self.lost:  # it was counted as lost when its successor came
                self.lost -= 1
                self._behind = self._ids.behind
            self.lost += max(0, step - self._unnumbered)
            self._unnumbered = 0
        if self.trouble:
            outage = result.captured_at - self._last_at if self._last_at else 0.0
            self.lost += max(1, round(outage * self._rate) - 1)
            self.reconnects += 1
            self.trouble = ""
            _log.warning("%s is back after %.1f s", self.name, outage)
        if self._grabbed == 0:
            self._first_at, self._first_number = result.captured_at, self._numbered
        self._last_at = result.captured_at
        self._grabbed += 1
