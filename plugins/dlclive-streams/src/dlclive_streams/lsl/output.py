"""The output that streams markers to Lab Streaming Layer."""

from __future__ import annotations

import math
import time
from typing import Any

from dlclive_core import TriggerEvent, printable
from dlclive_streams.changes import Change
from dlclive_streams.lsl.outlet import Outlet
from dlclive_streams.message_output import MessageOutput


class LslOutput(MessageOutput):
    """Streams markers: `on` and `off` at every change, and `corner/enter/mouse` at every event of a trigger.

    Markers carry the capture time of the frame behind them, as the poses of the sink `lsl` do; one without a frame, such as the
    last `off`, carries the time of the decision.

    Not fail-safe: when the program, the computer or the network dies, the receiver is told nothing.

    Args:
        name: of the stream.
        network: whether other computers may find it. LSL's ports are open to the network in any case: see `docs/streams.md`.
        source_id: by which receivers take the stream up again after an interruption; by default made from this computer's
            name and that of the stream.
        patience: seconds to wait at the start for the first receiver.
        lifespan: see `MessageOutput`.

    Raises:
        UsageError: an invalid option; in `open`, LSL was configured otherwise in this process.
        DependencyError: pylsl or its library cannot be loaded (in `open`).
    """

    def __init__(
        self,
        name: str = "dlclive markers",
        *,
        network: bool = False,
        source_id: str = "",
        patience: float = 0.0,
        lifespan: float = 0.5,
    ) -> None:
        super().__init__(lifespan=lifespan)
        self._outlet = Outlet("Markers", name, source_id, network=network, patience=patience)
        self._waiting: list[str] = []

    def _connect(self) -> None:
        self._waiting.clear()
        self._outlet.open("dlclive markers", True, 1, _describe, ())

    def _disconnect(self) -> None:
        self._outlet.close()

    def _tell(self, event: TriggerEvent) -> None:
        """Kept until `renew`, a moment later, tells the age of the event's frame."""
        self._waiting.append("/".join(printable(part) for part in (event.trigger, event.event, event.individual)))

    def _send(self, change: Change) -> None:
        self._waiting.append("on" if change.on else "off")

    def _renewed(self, age: float) -> None:
        if self._waiting:
            moment = time.perf_counter() - age if age >= 0 else math.nan
            for marker in self._waiting:
                self._outlet.push([marker], moment)
            self._waiting.clear()


def _describe(description: Any) -> None:
    channel = description.append_child("channels").append_child("channel")
    channel.append_child_value("label", "trigger")
    channel.append_child_value("type", "Marker")
    description.append_child("acquisition").append_child_value("manufacturer", "dlclive")
