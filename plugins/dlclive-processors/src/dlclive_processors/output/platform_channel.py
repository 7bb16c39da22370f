"""Which implementation of the connection and of the line runs on this system. Standard library only."""

from __future__ import annotations

import os
import sys

from dlclive_processors.output.channel import Line, ProcessChannel, SessionChannel

PORTABLE_VARIABLE = "_DLCLIVE_PORTABLE_HEARTBEAT"
"""An environment variable for our tests: "1" selects the portable implementation where it is not needed."""


def is_portable() -> bool:
    """Whether the portable implementation is used."""
    return sys.platform == "win32" or os.environ.get(PORTABLE_VARIABLE) == "1"


def session_channel() -> SessionChannel:
    """A new connection for a session."""
    if sys.platform == "win32" or is_portable():
        from dlclive_processors.output.socket_channel import SocketSessionChannel

        return SocketSessionChannel()
    else:
        from dlclive_processors.output.pipe_channel import PipeSessionChannel

        return PipeSessionChannel()


def process_channel(wake: int | None, connect: int | None) -> ProcessChannel:
    """The other end of the connection, in the heartbeat process.

    Args:
        wake: descriptor of the pipe that wakes.
        connect: TCP port of the session, for the portable implementation.
    """
    if sys.platform == "win32" or connect is not None:
        from dlclive_processors.output.socket_channel import SocketProcessChannel

        return SocketProcessChannel(connect or 0)
    else:
        from dlclive_processors.output.pipe_channel import PipeProcessChannel

        assert wake is not None
        return PipeProcessChannel(wake)


def open_line(port: str, baud: int, *, portable: bool) -> Line:
    """Open a serial port. Raises OSError, or ValueError for a port or a speed that pyserial does not take."""
    if sys.platform == "win32" or portable:
        from dlclive_processors.output.threaded_line import ThreadedLine

        return ThreadedLine(port, baud)
    else:
        from dlclive_processors.output.descriptor_line import DescriptorLine

        return DescriptorLine(port, baud)
