"""The sink that publishes poses by ZeroMQ."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import Estimate, RunInfo, Sink
from dlclive_streams.announcement import tell
from dlclive_streams.messages import Encoding, PoseMessages, check_encoding, encode
from dlclive_streams.zeromq.publisher import Publisher, check_topic


class ZmqStream(Sink):
    """Publishes every pose as a message of two parts: the topic, and the pose in JSON or msgpack.

    Subscribers of this computer connect to `tcp://127.0.0.1:5555`; the address is printed once, on standard error. They may
    come and go; one that does not keep up loses messages and sees it in their `sequence`. No password, no encryption.

    Args:
        port: 0: any free one, see `address`.
        host: the address of this computer at which it listens; `0.0.0.0` lets other computers connect.
        topic: the first part of each message. A subscription to the beginning of a topic is one to the topic.
        format: `json` or `msgpack`, with the same fields.
        queue: messages that wait for each subscriber, at most.
        patience: seconds to wait at the start for the first subscriber, so that it misses no frame; then it goes on without.

    Raises:
        UsageError: an invalid option; in `open`, the port is taken or the host is not an address of this computer.
        DependencyError: pyzmq or msgpack is not installed.
    """

    def __init__(
        self,
        port: int = 5555,
        *,
        host: str = "127.0.0.1",
        topic: str = "pose",
        format: Encoding = "json",
        queue: int = 100,
        patience: float = 0.0,
    ) -> None:
        self._publisher = Publisher(host, port, queue, patience)
        self._topic = check_topic(topic)
        self._encoding = check_encoding(format)
        self._messages: PoseMessages | None = None

    @property
    def address(self) -> str:
        """Where subscribers connect; empty until it is open."""
        return self._publisher.address

    @property
    def statistics(self) -> Mapping[str, float]:
        """Poses that could not be sent (`unsent`)."""
        return {"unsent": self._publisher.unsent}

    def open(self, run: RunInfo) -> None:
        """Listen, and wait for a subscriber if asked to."""
        self._messages = PoseMessages(run)
        self._publisher.open(lambda address: tell(run, f"{address}, topic {self._topic}"))

    def write(self, estimate: Estimate) -> None:
        """Publish a pose. Never waits."""
        assert self._messages is not None
        self._publisher.send(self._topic, encode(self._messages.message(estimate), self._encoding))

    def close(self) -> None:
        """Give what was sent half a second to leave."""
        self._publisher.close()
