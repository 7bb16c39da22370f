"""The address of a receiver, looked up once, before the run."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from dlclive_core import OutputError


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where to send: the first address of a host that the system gives. `family` and `address` are those of `socket`."""

    family: int
    address: tuple[Any, ...]


def find_receiver(host: str, port: int, *, kind: socket.SocketKind) -> Receiver:
    """Look up a host. Raises OutputError if it has no address. May take seconds, so it is called by `open` alone."""
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:  # a label that is empty or too long is a UnicodeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OutputError(
            f"host {host!r} has no address: {reason}; check the name and the network, or give a number such as 192.168.1.20"
        ) from None
    # Receivers listen on IPv4 more often than not, and `localhost` may come first as ::1.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return Receiver(family, tuple(address))
