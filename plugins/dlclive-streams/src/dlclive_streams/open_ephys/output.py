"""The output that switches a TTL line of an Open Ephys system."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec

from dlclive_core import DependencyError, OutputError, UsageError, check_number, check_whole, install_command
from dlclive_streams.addresses import find_receiver
from dlclive_streams.changes import Change
from dlclive_streams.checks import check_host
from dlclive_streams.message_output import MessageOutput
from dlclive_streams.open_ephys.ttl_line import LineCounts, TtlLine

_LAST_WAIT = (
    1.0  # seconds, at the end, for the confirmation that the line is off: a session waits two for its processors
)


class OpenEphysOutput(MessageOutput):
    """Switches a line of the processor "Network Events" of an Open Ephys GUI, which stamps it at the next block of samples.

    A thread asks and waits for the answers; the loop does not. When changes come faster than answers, only the newest is sent,
    and `skipped` counts the others. It takes milliseconds, and the state is that of the newest request, not of the hardware.

    Not fail-safe: `off` is sent at the end of a run and after an error, and `close` raises if it is not confirmed. When the
    program, the computer or the network dies, the line stays as it is. Mark events with it; drive no laser.

    Args:
        line: from 1 to 256, as Open Ephys counts.
        host, port: of the GUI; "Network Events" shows its port.
        timeout: seconds to wait for an answer; then it is asked again, on a new connection.
        patience: seconds to wait at the start for the first answer.
        lifespan: see `MessageOutput`.

    Raises:
        UsageError: an invalid option; in `open`, Open Ephys refuses the line.
        OutputError: nothing answers (in `open`); `off` is not confirmed (in `close`).
        DependencyError: pyzmq is not installed (in `open`).
    """

    safety = "off is sent at the end and after an error; when the computer or the network dies, the line stays as it is"

    def __init__(
        self,
        line: int = 1,
        *,
        host: str = "127.0.0.1",
        port: int = 5556,
        timeout: float = 0.5,
        patience: float = 3.0,
        lifespan: float = 0.5,
    ) -> None:
        super().__init__(lifespan=lifespan)
        self._number = check_whole("line", line, least=1, most=256)
        self._host = check_host(host)
        self._port = check_whole("port", port, least=1, most=65535)
        self._timeout = check_number("timeout", timeout, least=0.01, most=10)
        self._patience = check_number("patience", patience, above=0, most=3600)
        self._line: TtlLine | None = None
        self._counted = LineCounts()
        self._was_used = False

    def counts(self) -> Mapping[str, float]:
        """Those of `MessageOutput` and of `LineCounts`."""
        return {**super().counts(), **asdict(self._counted if self._line is None else self._line.counts)}

    def _connect(self) -> None:
        if find_spec("zmq") is None:
            raise DependencyError(f"Open Ephys outputs need pyzmq; run: {install_command('dlclive-streams')}")
        self._was_used = False
        found = str(find_receiver(self._host, self._port, kind=socket.SOCK_STREAM).address[0])
        host = f"[{found}]" if ":" in found else found
        line = self._line = TtlLine(f"tcp://{host}:{self._port}", self._number, self._timeout)
        line.request(False)
        if line.wait_until(False, self._patience):
            return
        if line.answer:
            raise UsageError(
                f"Open Ephys at {self._host}, port {self._port}, refuses line {self._number}: {line.answer!r}; "
                "give the number of a line that it has"
            )
        raise OutputError(
            f"nothing answers at {self._host}, port {self._port}: start Open Ephys with the processor Network Events, and "
            "give the port that it shows"
        )

    def _disconnect(self) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        is_off = line.close(min(2 * self._timeout, _LAST_WAIT) if self._was_used else 0.0)
        self._counted = line.counts
        if self._was_used and not is_off:
            raise OutputError(
                f"Open Ephys at {self._host}, port {self._port}, did not confirm that line {self._number} is off: "
                "check the line"
            )

    def _send(self, change: Change) -> None:
        if self._line is not None:
            self._was_used = self._was_used or change.on
            self._line.request(change.on)
