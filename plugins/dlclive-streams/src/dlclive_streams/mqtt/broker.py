"""A connection to an MQTT broker that nobody waits for."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dlclive_core import DependencyError, UsageError, check_number, check_whole, install_command
from dlclive_streams.addresses import find_receiver
from dlclive_streams.checks import check_host, check_text

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

_log = logging.getLogger(__name__)

_KEEPALIVE = 5  # seconds; the broker notices within one and a half of them that this computer is gone
_CONNECT_TIMEOUT = 2.0  # seconds for one attempt, in the connection's own thread
_LONGEST_WAIT = 5  # seconds between two attempts
_LINGER = 1.0  # seconds at the end for what was sent


class Broker:
    """Connects in a thread of its own, again and again, and sends messages of quality 0: at most once.

    What is published while there is no connection, or while `queue` messages wait for a slow broker, is not sent, but counted.

    Args:
        host, port: of the broker.
        queue: messages that wait, at most.
        patience: seconds to wait in `open` for the connection; then it goes on without.

    Attributes:
        unsent: messages that were not sent.
    """

    def __init__(self, host: str, port: int, queue: int = 100, patience: float = 0.0) -> None:
        self._host = check_host(host)
        self._port = check_whole("port", port, least=1, most=65535)
        self._queue = check_whole("queue", queue, least=1, most=100_000)
        self._patience = check_number("patience", patience, least=0, most=3600)
        self.unsent = 0
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._waiting: deque[MQTTMessageInfo] = deque()
        self._connected = threading.Event()
        self._said = ""

    def open(self, *, will: tuple[str, bytes] | None = None, on_connected: Callable[[], None] = lambda: None) -> None:
        """Begin to connect.

        Args:
            will: topic and payload of the message that the broker keeps, and sends to everybody if this program is gone.
            on_connected: called in the connection's thread whenever it was made.

        Raises:
            DependencyError: paho-mqtt is not installed.
            OutputError: the host has no address.
        """
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise DependencyError(f"MQTT cannot be used: {error}; run: {install_command('dlclive-streams')}") from None
        self.close()
        self.unsent, self._said = 0, ""
        find_receiver(self._host, self._port, kind=socket.SOCK_STREAM)
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = _CONNECT_TIMEOUT
        client.reconnect_delay_set(1, _LONGEST_WAIT)
        if will is not None:
            client.will_set(will[0], will[1], qos=0, retain=True)

        def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                self._say(f"refuses the connection: {reason}")
                return
            self._said = ""
            self._connected.set()
            on_connected()

        def disconnected(_client: Any, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
            if self._connected.is_set() and self._client is client:
                self._say("is gone; connecting again")
            self._connected.clear()

        def opened(_client: Any, _data: Any, connection: Any) -> None:
            connection.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # or a message waits for the answer to the last one

        client.on_socket_open = opened
        client.on_connect = connected
        client.on_disconnect = disconnected
        client.on_connect_fail = lambda _client, _data: self._say("does not answer; trying again and again")
        client.connect_async(self._host, self._port, keepalive=_KEEPALIVE)
        self._client = client
        client.loop_start()
        if self._patience and not self._connected.wait(self._patience):
            _log.warning(
                "no MQTT broker at %s, port %d, within %g s; going on without", self._host, self._port, self._patience
            )

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message, or count it as unsent. Never waits for the network. Any thread may call it."""
        with self._lock:
            client = self._client
            while self._waiting and self._is_over(self._waiting[0]):
                self._waiting.popleft()
            if client is None or not self._connected.is_set() or len(self._waiting) >= self._queue:
                self.unsent += 1
                return
            info = client.publish(topic, payload, qos=0, retain=retain)
            if info.rc:
                self.unsent += 1
            else:
                self._waiting.append(info)

    def _is_over(self, info: MQTTMessageInfo) -> bool:
        """Whether a message needs no more waiting for; one that was lost with its connection counts as unsent."""
        try:
            return bool(info.is_published())
        except (RuntimeError, ValueError):
            self.unsent += 1
            return True

    def close(self) -> None:
        """Send what waits, and disconnect; at most a second. Safe to call twice."""
        client, self._client = self._client, None
        if client is None:
            return
        client.disconnect()
        ending = threading.Thread(target=client.loop_stop, name="dlclive mqtt ends", daemon=True)
        ending.start()
        ending.join(_LINGER)  # it may be in the middle of an attempt to connect; it ends by itself
        self._connected.clear()
        self._waiting.clear()

    def _say(self, what: str) -> None:
        """Once, until a connection was made."""
        if what != self._said and self._client is not None:
            self._said = what
            _log.warning("the MQTT broker at %s, port %d, %s", self._host, self._port, what)


def check_topic(topic: str) -> str:
    """Return the topic if messages can be published to it; else raise UsageError."""
    if check_text("topic", topic) and not set("+#") & set(topic) and not topic.startswith(("$", "/")):
        return topic.rstrip("/")
    raise UsageError(f"topic is {topic!r}; give one without + and #, that does not begin with $ or /, such as dlclive")
