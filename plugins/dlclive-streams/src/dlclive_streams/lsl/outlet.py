"""An LSL outlet: what the stream of poses and that of markers have in common."""

from __future__ import annotations

import hashlib
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from dlclive_core import check_number
from dlclive_streams.checks import check_text
from dlclive_streams.lsl.clock import LslClock
from dlclive_streams.lsl.library import load_lsl

_log = logging.getLogger(__name__)

_BUFFER = 60  # hundreds of samples for each receiver that does not keep up; then it loses the oldest
_LINGER = 0.5  # seconds at the end for what was sent: LSL cannot tell when it has left


class Outlet:
    """A stream that receivers find by its name, type and source_id. Pushing never waits. Used by one thread at a time.

    Args:
        kind: the content type, "MoCap" or "Markers".
        name, source_id: "" for those of the run.
        network: whether other computers may find it.
        patience: seconds to wait in `open` for the first receiver.

    Attributes:
        name: as it was given; "" for that of the run.
        clock: maps the session's clock to LSL's; None until it is open.
    """

    def __init__(self, kind: str, name: str, source_id: str, *, network: bool, patience: float) -> None:
        self._kind = kind
        self.name = check_text("name", name, empty=True)
        self._source_id = check_text("source_id", source_id, empty=True)
        self._network = bool(network)
        self._patience = check_number("patience", patience, least=0, most=3600)
        self.clock: LslClock | None = None
        self._outlet: Any = None

    def open(
        self, name: str, text: bool, channels: int, describe: Callable[[Any], None], identity: Sequence[str]
    ) -> None:
        """Offer the stream, and wait for a receiver if asked to.

        Args:
            name: used if none was given.
            text: whether samples are text instead of float32.
            channels: number of them.
            describe: adds the meta-data to `info.desc()`.
            identity: what makes the stream the same in another run, so that a receiver takes it up again.

        Raises:
            DependencyError, UsageError: see `load_lsl`.
        """
        lsl = load_lsl(network=self._network)
        self.close()
        name = self.name or name
        parts = (socket.gethostname(), self._kind, name, *identity)
        source_id = self._source_id or f"dlclive-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"
        form = lsl.cf_string if text else lsl.cf_float32
        info = lsl.StreamInfo(name, self._kind, channels, lsl.IRREGULAR_RATE, form, source_id)
        describe(info.desc())
        self.clock = LslClock(lsl.local_clock)
        self._outlet = lsl.StreamOutlet(info, max_buffered=_BUFFER)
        if self._patience and not self._outlet.wait_for_consumers(self._patience):
            _log.warning("no receiver of the LSL stream %s within %g s; going on without", name, self._patience)

    def push(self, values: Sequence[Any], moment: float) -> None:
        """Push one sample, with a moment of the session's clock."""
        if self._outlet is not None and self.clock is not None:
            self._outlet.push_sample(values, self.clock.at(moment))

    def close(self) -> None:
        """Withdraw the stream; if somebody receives it, after half a second, because LSL discards what has not left."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None and outlet.have_consumers():
            time.sleep(_LINGER)
        del outlet
