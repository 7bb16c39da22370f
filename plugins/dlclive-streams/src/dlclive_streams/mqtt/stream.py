"""The sink that publishes poses through an MQTT broker."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import Estimate, RunInfo, Sink
from dlclive_streams.messages import PoseMessages, encode
from dlclive_streams.mqtt.broker import Broker, check_topic


class MqttStream(Sink):
    """Publishes every pose as JSON to `dlclive/pose`, at most once (quality 0): for rooms and dashboards, not for closed loops.

    The broker may come, go and come back; poses are not kept for it.

    Args:
        host: of the broker.
        port: of the broker.
        topic: put before `/pose`.
        queue: messages that wait for a slow broker, at most; the rest is not sent.
        patience: seconds to wait at the start for the connection; then it goes on without.

    Raises:
        UsageError: an invalid option.
        OutputError: the host has no address (in `open`).
        DependencyError: paho-mqtt is not installed (in `open`).
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        port: int = 1883,
        topic: str = "dlclive",
        queue: int = 100,
        patience: float = 0.0,
    ) -> None:
        self._broker = Broker(host, port, queue, patience)
        self._topic = f"{check_topic(topic)}/pose"
        self._messages: PoseMessages | None = None

    @property
    def unsent(self) -> int:
        """Poses that were not sent: there was no connection, or the broker was too slow."""
        return self._broker.unsent

    @property
    def statistics(self) -> Mapping[str, float]:
        """What was not sent (`unsent`)."""
        return {"unsent": self._broker.unsent}

    def open(self, run: RunInfo) -> None:
        """Begin to connect."""
        self._messages = PoseMessages(run)
        self._broker.open()

    def write(self, estimate: Estimate) -> None:
        """Publish a pose. Never waits."""
        assert self._messages is not None
        self._broker.publish(self._topic, encode(self._messages.message(estimate), "json"))

    def close(self) -> None:
        """Send what waits, and disconnect."""
        self._broker.close()
