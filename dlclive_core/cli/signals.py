"""Ctrl-C and SIGTERM stop a session in order; a second one stops at once."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from typing_extensions import Self

from dlclive_core.session import Rig, Session

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE = 0.12  # seconds after the second signal in which processors may switch their hardware off
_FLUSH = 0.02  # seconds for what is left to say; a terminal that is halted must not hold the process
_PATIENCE = 2.0  # seconds after the first one, after which people are told what they can do


class StopOnSignal:
    """While it is entered, SIGINT and SIGTERM stop the session that is running. Only in the main thread.

    Python runs a signal's handler when the main thread is back in Python; while a model computes, or a driver hangs, it is
    not. So a thread of its own hears of signals, too: the first one stops the session, `_GRACE` seconds after the second
    one the process is gone, whatever the main thread does; sooner when all processors are closed. It ends without Python's
    own end, which takes its time where large libraries are loaded. Nothing recorded is lost: journals are on the disk.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._session: Session | Rig | None = None
        self._before: dict[int, Any] = {}
        self._handled = 0
        self._last: int | None = None  # the signal that wants the end at once
        self._done = threading.Event()

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells count, or 0."""
        return 128 + self.received if self.received else 0

    @contextmanager
    def stops(self, session: Session | Rig) -> Iterator[None]:
        """Stop this session, or rig of sessions, while the block runs. Was it still opening its parts, the block ends early."""
        self._session = session
        if self.received is not None:
            session.stop()
        try:
            yield
        except KeyboardInterrupt:  # ours, or one from before this was entered
            if self.received is None:
                raise
        finally:
            self._session = None

    def __enter__(self) -> Self:
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        self._wakeup = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, name="dlclive signals", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._last is not None:
            _leave(128 + self._last)
        self._done.set()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._mouth.close()  # ends the thread

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """In the main thread; nothing waits here, because it may be anywhere."""
        self._handled += 1
        if self.received is None:
            self.received = number
        if self._handled > 1:
            self._last = number
            raise SystemExit(128 + number)
        if self._session is not None and self._session.state == "starting":
            raise KeyboardInterrupt  # a source that hangs while it opens is left behind; the rest is closed in order

    def _listen(self) -> None:
        """In the thread that hears of signals while the main thread cannot."""
        heard = 0
        with self._ear:
            while data := self._ear.recv(1):
                number = data[0]
                if number not in _SIGNALS:
                    continue
                heard += 1
                if heard == 1:
                    self._stop(number)
                else:
                    time.sleep(_GRACE)
                    _leave(128 + number)

    def _stop(self, number: int) -> None:
        if self.received is None:
            self.received = number
        if self._session is not None:
            self._session.stop()
        threading.Thread(target=self._tell, name="dlclive patience", daemon=True).start()

    def _tell(self) -> None:
        if not self._done.wait(_PATIENCE):
            sys.stderr.write("still finishing the files; once more Ctrl-C ends at once\n")


def _leave(code: int) -> None:
    """Be gone now."""
    flushing = threading.Thread(target=sys.stderr.flush, daemon=True)
    flushing.start()
    flushing.join(_FLUSH)
    os._exit(code)
