"""The connection between a session and its heartbeat process, and the process's serial line.

There are two implementations of each. Pipes and descriptors (`pipe_channel`, `descriptor_line`) are for POSIX systems; a
socket and a thread that reads (`socket_channel`, `threaded_line`) are for Windows, which can wait for sockets only. Both
pass the same tests on Linux. Standard library only: the heartbeat process imports this.
"""

from __future__ import annotations

import io
import subprocess
from abc import ABC, abstractmethod


class SessionChannel(ABC):
    """The session's end. Nothing here blocks unless it has a timeout.

    Attributes:
        ended: no more reports can come, because the process has ended.
    """

    ended: bool = False

    @abstractmethod
    def start(self, command: list[str], events: io.FileIO | None) -> subprocess.Popen[bytes]:
        """Start the process at the other end, and add to its command line what it needs to reach this one.

        Args:
            command: the program with its arguments.
            events: the events file, which the process appends to.

        Raises:
            OSError: it cannot be started.
        """

    @abstractmethod
    def send(self, record: bytes, *, urgent: bool) -> bool:
        """Send a lease; False if the process no longer reads. Unless `urgent`, the process need not be woken."""

    @abstractmethod
    def receive(self, timeout: float) -> bytes:
        """Whole reports that are there within `timeout` seconds. Sets `ended`."""

    @abstractmethod
    def hang_up(self) -> None:
        """Send nothing more: the process then reads the end, and goes on reporting."""

    @abstractmethod
    def close(self) -> None:
        """Release this process's resources, also in a forked child, without effect on the other end. Safe to call twice."""


class ProcessChannel(ABC):
    """The heartbeat process's end. Nothing here blocks, except `close` for a moment.

    Attributes:
        descriptor: becomes ready in `select` when the session has something to say, or is gone.
    """

    descriptor: int

    @abstractmethod
    def wake(self) -> bool:
        """Call it when `descriptor` is ready; False if the session is gone."""

    @abstractmethod
    def read(self) -> bytes | None:
        """Whole leases that have come; None if there are none; b"" if the session is gone."""

    @abstractmethod
    def write(self, record: bytes) -> None:
        """Send a report; it is lost if the session does not read."""

    @abstractmethod
    def close(self) -> None:
        """See that the session can read the last report."""


class Line(ABC):
    """The serial line to the device.

    Attributes:
        descriptor: becomes ready in `select` when `has_data` should be asked.
    """

    descriptor: int

    @abstractmethod
    def has_data(self) -> bool:
        """Whether data has arrived, or the port is gone; then call `read`."""

    @abstractmethod
    def read(self) -> bytes:
        """The data that has arrived. Raises OSError if the port is gone."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send; what the port does not take is lost. Raises OSError if the port is gone."""

    @abstractmethod
    def close(self) -> None:
        """Close the port."""
