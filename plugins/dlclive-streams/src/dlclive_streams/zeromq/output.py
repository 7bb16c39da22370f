"""The output that publishes its state and its trigger's events by ZeroMQ."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import TriggerEvent
from dlclive_streams.changes import Change
from dlclive_streams.message_output import MessageOutput
from dlclive_streams.messages import Encoding, check_encoding, encode, event_message, state_message
from dlclive_streams.zeromq.publisher import Publisher, check_topic


class ZmqOutput(MessageOutput):
    """Publishes messages of two parts under the topics `state`, at every change, and `event`, at every event of the trigger.

    Not fail-safe: when the program, the computer or the network dies, subscribers are told nothing. With `repeat`, they notice
    that messages stop.

    Args:
        port: 0: any free one, see `address`. Not that of the sink `zmq`.
        host: the address of this computer at which it listens; `0.0.0.0` lets other computers connect.
        topic: put before both topics: `left` makes `left/state` and `left/event`.
        format: `json` or `msgpack`, with the same fields.
        queue: messages that wait for each subscriber, at most.
        patience: seconds to wait at the start for the first subscriber.
        lifespan, repeat: see `MessageOutput`.

    Raises:
        UsageError: an invalid option; in `open`, the port is taken or the host is not an address of this computer.
        DependencyError: pyzmq or msgpack is not installed.
    """

    def __init__(
        self,
        port: int = 5560,
        *,
        host: str = "127.0.0.1",
        topic: str = "",
        format: Encoding = "json",
        queue: int = 1000,
        patience: float = 0.0,
        lifespan: float = 0.5,
        repeat: float = 0.0,
    ) -> None:
        super().__init__(lifespan=lifespan, repeat=repeat)
        self._publisher = Publisher(host, port, queue, patience)
        prefix = f"{check_topic(topic)}/" if topic else ""
        self._state_topic, self._event_topic = f"{prefix}state", f"{prefix}event"
        self._encoding = check_encoding(format)

    @property
    def address(self) -> str:
        """Where subscribers connect; empty until it is open."""
        return self._publisher.address

    def counts(self) -> Mapping[str, float]:
        """Those of `MessageOutput`, and messages that could not be sent (`unsent`)."""
        return {**super().counts(), "unsent": self._publisher.unsent}

    def _connect(self) -> None:
        self._publisher.open()

    def _disconnect(self) -> None:
        self._publisher.close()

    def _send(self, change: Change) -> None:
        self._publisher.send(self._state_topic, encode(state_message(change), self._encoding))

    def _tell(self, event: TriggerEvent) -> None:
        self._publisher.send(self._event_topic, encode(event_message(event), self._encoding))
