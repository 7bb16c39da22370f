"""The TCP port that serves the page."""

from __future__ import annotations

import errno
import socket
import sys

from dlclive_io.screen.viewer_process import DisplayError

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_NEIGHBOURS = 20


def listen(port: int | None) -> socket.socket:
    """Return a listening socket. Raises DisplayError, naming a free port, if this one is taken.

    Args:
        port: None: 8000, or the next free port; 0: any free port.
    """
    if port is None:
        return _first_free()
    try:
        return _bound(port)
    except OSError as error:
        if error.errno == errno.EACCES and port < 1024:
            raise DisplayError("usage", f"port {port} needs administrator rights; use port={port + 8000}") from None
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise DisplayError("usage", f"port {port} of {HOST} cannot be used ({error}); use another port") from None
    raise DisplayError("usage", f"port {port} is taken by another program; use port={_free_beside(port)}")


def _first_free() -> socket.socket:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _NEIGHBOURS):
        try:
            return _bound(port)
        except OSError:
            continue
    return _bound(0)


def _free_beside(port: int) -> int:
    """A port that is free now, near this one if possible."""
    for other in (*range(port + 1, min(port + _NEIGHBOURS, 65536)), 0):
        try:
            with _bound(other) as listener:
                return int(listener.getsockname()[1])
        except OSError:
            continue
    return 0


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # SO_REUSEADDR would let two programs share a port there
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener
