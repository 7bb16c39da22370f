"""A socket that publishes to whoever listens, and never waits for anybody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlclive_core import DependencyError, UsageError, check_number, check_whole, install_command
from dlclive_streams.checks import check_host, check_text

if TYPE_CHECKING:
    import zmq

_log = logging.getLogger(__name__)

_LINGER = 500  # ms at the end for what was sent: enough for a receiver that reads, bearable with one that does not
# With a domain, libzmq 4.3.5 refuses peers older than ZeroMQ 4 (ZMTP 3); about others it asks a handler, if there is one. A
# stranger's bytes look like such an old peer, and if one is greeted while the socket closes, libzmq ends the whole process.
_DOMAIN = "dlclive"
_LARGEST_REQUEST = 1024  # bytes; subscribers send nothing but the beginning of a topic
_MOST_REQUESTS = 64  # read for each message sent
_own_addresses: set[str] = set()
"""Where publishers of this program listen: whoever finds such a port taken has no other program to end."""


class Publisher:
    """A ZeroMQ publisher. Used by one thread at a time.

    It binds, and subscribers connect. For each subscriber that does not keep up, `queue` messages wait; after that it loses the
    newer ones, without harm to the others. It is an XPUB socket, which subscribers cannot tell from PUB, because that shows
    whether there is a subscriber at all. Whatever else subscribers send is discarded; larger requests end their connection,
    and so does a peer older than ZeroMQ 4.

    Args:
        host: the address of this computer at which it listens; `0.0.0.0` for all.
        port: 0: any free one.
        queue: messages that wait for each subscriber, at most.
        patience: seconds to wait in `open` for the first subscriber.

    Attributes:
        address: where subscribers connect, such as `tcp://127.0.0.1:5555`; empty until it is open.
        unsent: messages that could not be sent.
    """

    def __init__(self, host: str, port: int, queue: int = 100, patience: float = 0.0) -> None:
        self._host = check_host(host)
        self._port = check_whole("port", port, least=0, most=65535)
        self._queue = check_whole("queue", queue, least=1, most=100_000)
        self._patience = check_number("patience", patience, least=0, most=3600)
        self.address = ""
        self.unsent = 0
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._topics = 0

    def open(self, announce: Callable[[str], None] = lambda _address: None) -> None:
        """Listen, and wait for a subscriber if asked to.

        Args:
            announce: called with the address, before the wait.

        Raises:
            UsageError: the port is taken, or the host is not this computer.
            DependencyError: pyzmq is not installed.
        """
        try:
            import zmq
        except ImportError as error:
            raise DependencyError(
                f"ZeroMQ cannot be used: {error}; run: {install_command('dlclive-streams')}"
            ) from None
        self.close()
        self.unsent = self._topics = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        self._socket.setsockopt_string(zmq.ZAP_DOMAIN, _DOMAIN)
        self._socket.setsockopt(zmq.SNDHWM, self._queue)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_REQUEST)
        self._socket.setsockopt(zmq.LINGER, _LINGER)
        is_ipv6 = ":" in self._host
        self._socket.setsockopt(zmq.IPV6, is_ipv6)
        host = f"[{self._host}]" if is_ipv6 else self._host
        try:
            self._socket.bind(f"tcp://{host}:{self._port or '*'}")
        except zmq.ZMQError as error:
            self.close()
            if error.errno == zmq.EADDRINUSE:
                raise self._taken() from None
            raise UsageError(
                f"cannot listen at {self._host}, port {self._port}: {zmq.strerror(error.errno or 0)}; "
                "give an address of this computer: 127.0.0.1, or 0.0.0.0 for all networks"
            ) from None
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        _own_addresses.add(self.address)
        announce(self.address)
        self._await_subscriber()

    def send(self, topic: str, payload: bytes) -> None:
        """Send two parts, the topic and the payload. Never waits."""
        import zmq

        if self._socket is None:
            return
        self._read_requests()
        try:
            self._socket.send_multipart((topic.encode(), payload), zmq.NOBLOCK)
        except zmq.ZMQError:
            self.unsent += 1

    def close(self) -> None:
        """Give what was sent half a second to leave, and end. Safe to call twice."""
        socket, self._socket = self._socket, None
        context, self._context = self._context, None
        _own_addresses.discard(self.address)
        self.address = ""
        if socket is not None:
            socket.close()
        if context is not None:
            context.term()

    def _taken(self) -> UsageError:
        if any(address.endswith(f":{self._port}") for address in _own_addresses):
            return UsageError(
                f"two zmq streams or outputs of this run publish on port {self._port}; give each a port of its own, such as "
                f"zmq:{self._port % 65535 + 1}"
            )
        return UsageError(
            f"port {self._port} of {self._host} is taken; give another port, or end the program that has it"
        )

    def _await_subscriber(self) -> None:
        until = time.perf_counter() + self._patience
        while self._topics <= 0:
            wait = until - time.perf_counter()
            if wait <= 0:
                break
            assert self._socket is not None
            self._socket.poll(max(1, int(1000 * min(wait, 0.1))))
            self._read_requests()
        else:
            return
        if self._patience:
            _log.warning("no subscriber at %s within %g s; going on without", self.address, self._patience)

    def _read_requests(self) -> None:
        """Count subscriptions, and discard everything else."""
        import zmq

        assert self._socket is not None
        for _ in range(_MOST_REQUESTS):
            try:
                request = self._socket.recv(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            if request[:1] in (b"\x00", b"\x01"):
                self._topics += 1 if request[0] else -1


def check_topic(topic: str, *, empty: bool = False) -> str:
    """Return the topic if it can be subscribed to; else raise UsageError."""
    return check_text("topic", topic, empty=empty)
