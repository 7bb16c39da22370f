"""Ctrl-C and SIGTERM stop a session in order; a second one stops at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from typing_extensions import Self

from dlclive_core.session import Session

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal:
    """While it is entered, SIGINT and SIGTERM stop the session that is running. Only in the main thread."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._session: Session | None = None
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells count, or 0."""
        return 128 + self.received if self.received else 0

    @contextmanager
    def stops(self, session: Session) -> Iterator[None]:
        """Stop this session while the block runs."""
        self._session = session
        try:
            yield
        finally:
            self._session = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise SystemExit(128 + number)
        self.received = number
        if self._session is not None:
            self._session.stop()
