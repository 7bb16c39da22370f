"""The output that sends its state and its trigger's events as OSC messages."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import TriggerEvent
from dlclive_streams.changes import Change
from dlclive_streams.message_output import MessageOutput
from dlclive_streams.osc.addresses import check_prefix
from dlclive_streams.osc.packets import event_packet, state_packet
from dlclive_streams.osc.udp_sender import UdpSender


class OscOutput(MessageOutput):
    """Sends `/state` at every change, and `/event/<trigger>` at every event of the trigger, by UDP.

    Not fail-safe: when the program, the computer or the network dies, the receiver is told nothing, and UDP may lose a message,
    also the one that switches off. With `repeat`, the state is sent again and again: a lost one is made up for, and a receiver
    can switch off by itself when nothing comes.

    Args:
        port: of the receiver.
        host: of the receiver.
        prefix: put before all addresses, such as `/rig1`.
        lifespan, repeat: see `MessageOutput`.

    Raises:
        UsageError: an invalid option.
        OutputError: the host has no address (in `open`).
        DependencyError: python-osc is not installed.
    """

    def __init__(
        self,
        port: int = 9000,
        *,
        host: str = "127.0.0.1",
        prefix: str = "",
        lifespan: float = 0.5,
        repeat: float = 0.0,
    ) -> None:
        super().__init__(lifespan=lifespan, repeat=repeat)
        self._sender = UdpSender(host, port)
        self._prefix = check_prefix(prefix)

    def counts(self) -> Mapping[str, float]:
        """Those of `MessageOutput`, and packets that the system did not take (`unsent`)."""
        return {**super().counts(), "unsent": self._sender.unsent}

    def _connect(self) -> None:
        state_packet(self._prefix, self._last)  # that python-osc is missing is said now
        self._sender.open()

    def _disconnect(self) -> None:
        self._sender.close()

    def _send(self, change: Change) -> None:
        self._sender.send(state_packet(self._prefix, change))

    def _tell(self, event: TriggerEvent) -> None:
        self._sender.send(event_packet(self._prefix, event))
