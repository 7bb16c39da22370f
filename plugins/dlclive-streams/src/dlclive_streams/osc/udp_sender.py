"""A UDP socket that sends and never waits."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

from dlclive_core import check_whole
from dlclive_streams.addresses import find_receiver
from dlclive_streams.checks import check_host

_log = logging.getLogger(__name__)


class UdpSender:
    """Sends packets to one receiver, whether or not it is there. Used by one thread at a time.

    Args:
        host, port: of the receiver.

    Attributes:
        unsent: packets that the system did not take: its buffer was full, or there is no way to the network.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = check_host(host)
        self._port = check_whole("port", port, least=1, most=65535)
        self.unsent = 0
        self._socket: socket.socket | None = None
        self._address: tuple[object, ...] = ()
        self._warned = False

    def open(self) -> None:
        """Look up the receiver. Raises OutputError if it has no address."""
        self.close()
        self.unsent, self._warned = 0, False
        receiver = find_receiver(self._host, self._port, kind=socket.SOCK_DGRAM)
        self._address = receiver.address
        self._socket = socket.socket(receiver.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, packet: bytes) -> None:
        """Send one packet, or count it as unsent."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(packet, self._address)
        except BlockingIOError:
            self.unsent += 1
        except OSError as error:  # no network, no route, a firewall: it may come back
            self.unsent += 1
            if not self._warned:
                self._warned = True
                _log.warning("packets to %s, port %d, cannot be sent: %s", self._host, self._port, error.strerror)

    def close(self) -> None:
        """Close the socket. What was sent is on its way."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None
