"""The output that publishes its state and its trigger's events through an MQTT broker."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dlclive_core import Reason, TriggerEvent
from dlclive_streams.changes import Change
from dlclive_streams.message_output import MessageOutput
from dlclive_streams.messages import encode, event_message, state_message
from dlclive_streams.mqtt.broker import Broker, check_topic


class MqttOutput(MessageOutput):
    """Publishes JSON to `dlclive/state`, at every change and retained, and to `dlclive/event`, at every event of the trigger.

    Not fail-safe: the receiver decides. But the broker is left a will: when the program or the computer is gone, within 8
    seconds it publishes that the state is off, because "host gone".

    Args:
        host: of the broker.
        port: of the broker.
        topic: put before `/state` and `/event`. Two outputs need two topics.
        queue: messages that wait for a slow broker, at most; the rest is not sent.
        patience: seconds to wait at the start for the connection; then it goes on without.
        lifespan, repeat: see `MessageOutput`.

    Raises:
        UsageError: an invalid option.
        OutputError: the host has no address (in `open`).
        DependencyError: paho-mqtt is not installed (in `open`).
    """

    safety = "a message cannot be fail-safe; when the computer dies, the broker says off within 8 s, and the receiver must obey"

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        port: int = 1883,
        topic: str = "dlclive",
        queue: int = 100,
        patience: float = 0.0,
        lifespan: float = 0.5,
        repeat: float = 0.0,
    ) -> None:
        super().__init__(lifespan=lifespan, repeat=repeat)
        self._broker = Broker(host, port, queue, patience)
        topic = check_topic(topic)
        self._state_topic, self._event_topic = f"{topic}/state", f"{topic}/event"

    def counts(self) -> Mapping[str, float]:
        """Those of `MessageOutput`, and messages that were not sent (`unsent`)."""
        return {**super().counts(), "unsent": self._broker.unsent}

    def _connect(self) -> None:
        gone = Change(False, Reason.HOST_GONE, -1, 0.0, math.nan)
        self._broker.open(will=(self._state_topic, encode(state_message(gone), "json")), on_connected=self._announce)

    def _disconnect(self) -> None:
        self._broker.close()

    def _send(self, change: Change) -> None:
        self._broker.publish(self._state_topic, encode(state_message(change), "json"), retain=True)

    def _tell(self, event: TriggerEvent) -> None:
        self._broker.publish(self._event_topic, encode(event_message(event), "json"))

    def _announce(self) -> None:
        """Replace the retained state by that of this moment."""
        with self._lock:
            self._send(self._last)
