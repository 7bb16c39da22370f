"""What all cameras share: numbering frames, counting what is missing, coming back after an outage."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod

from dlclive_cameras.connection import CameraLost, Connection, GrabResult
from dlclive_cameras.frame_ids import FrameIds
from dlclive_cameras.reconnection import Reconnection
from dlclive_core import Frame, FrameSource, SourceError, UsageError

_log = logging.getLogger("dlclive")
_ENOUGH, _LONG_ENOUGH = 10, 3.0  # frames and seconds, to know the rate


class LiveCamera(FrameSource):
    """A camera that may vanish and come back. A subclass says how to connect.

    `Frame.index` is the number of frames before it: those that were read, and those in `corrupt`, `skipped` and `lost`. For
    an outage, as many frames are counted as lost as would have come at the rate before; at least one.

    Args:
        reconnect: seconds to look for a camera that vanished; 0: SourceError at once.
    """

    is_live = True

    def __init__(self, *, reconnect: float) -> None:
        if reconnect < 0:
            raise UsageError(f"reconnect is a number of seconds, 0 to give up at once; got {reconnect:g}")
        self.reconnect = reconnect
        self._connection: Connection | None = None
        self._reconnection: Reconnection | None = None

    @abstractmethod
    def connect(self) -> Connection:
        """Open the camera and start it. Raises SourceError, UsageError or DependencyError.

        Called by `open`, and after an outage again by another thread.
        """

    def open(self) -> None:
        """Open the camera and start it.

        Raises:
            SourceError: there is none, another program has it, or it does not answer.
            UsageError: it cannot do what an option asks for.
        """
        self.close()
        self.corrupt = self.skipped = self.lost = self.reconnects = 0
        self.trouble = ""
        self._read = 0
        self._first_at = self._last_at = 0.0
        self._first_number = 0
        self._attach(self.connect())

    def read(self, timeout: float) -> Frame:
        """The newest frame: RGB (H, W, 3) or grey (H, W), uint8.

        Raises:
            TimeoutError: none came in time; if the camera has vanished, `trouble` says so.
            SourceError: it has vanished and did not come back; or the source is not open.
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
        frame = Frame(result.image, self._numbered, result.captured_at, result.device_time, self.name)
        self._read += 1
        return frame

    def close(self) -> None:
        """Give the camera back, or stop looking for it; what was counted stays readable."""
        reconnection, self._reconnection = self._reconnection, None
        connection, self._connection = self._connection, None
        if reconnection is not None:
            reconnection.stop()
        if connection is not None:
            connection.close()

    def _attach(self, connection: Connection) -> None:
        self._connection = connection
        self._ids = FrameIds()
        self._seen = self._unnumbered = 0  # frames of this connection; those since the last one with a number
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

    def _handle_loss(self, connection: Connection, why: str) -> None:
        self._connection = None
        if self.reconnect == 0:
            connection.close()
            raise SourceError(f"{self.name} vanished: {why}; check its cable and power")
        self.trouble = f"{self.name} vanished: {why}"
        _log.warning("%s; looking for it for %g s", self.trouble, self.reconnect)
        self._reconnection = Reconnection(self.connect, connection, self.reconnect, self.name)

    def _measured_rate(self) -> float:
        """Frames per second before the outage, as measured, or as the camera declares; 0 if unknown."""
        frames, span = self._numbered - self._first_number, self._last_at - self._first_at
        seen = frames / span if frames >= _ENOUGH and span > 0 else 0.0
        return seen if span > _LONG_ENOUGH else self.fps or seen  # a stream begins with a burst

    @property
    def _numbered(self) -> int:
        """The index of the next frame."""
        return self._read + self.corrupt + self.skipped + self.lost

    def _count(self, result: GrabResult) -> None:
        """Bring the counters up to date. What the camera numbered and the driver did not see is lost."""
        self.skipped += result.skipped
        self.corrupt += result.corrupt
        self._unnumbered += result.skipped + result.corrupt + (result.image is not None)
        if result.frame_id is not None:
            self.lost += max(0, self._ids.passed(result.frame_id) - self._unnumbered)
            self._unnumbered = 0
        if self.trouble:
            outage = result.captured_at - self._last_at if self._last_at else 0.0
            self.lost += max(1, round(outage * self._rate) - 1)
            self.reconnects += 1
            self.trouble = ""
            _log.warning("%s is back after %.1f s", self.name, outage)
        if self._seen == 0:
            self._first_at, self._first_number = result.captured_at, self._numbered
        self._last_at = result.captured_at
        self._seen += 1
