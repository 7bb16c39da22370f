"""Ctrl-C, SIGTERM and SIGHUP shut a session down cleanly; a second signal quits immediately."""

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

from dlclive_core.cli.output import warn
from dlclive_core.session import Rig, Session

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C, `kill`, the end of the terminal or of ssh, and Ctrl-Break or a closed window on Windows; where they exist."""
_SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_ALWAYS = (signal.SIGINT, signal.SIGTERM)
_GRACE = 0.12  # seconds after the second signal for processors to switch off their hardware
_FLUSH = 0.02  # seconds to flush standard error; a stopped terminal must not hold the process
_HINT_AFTER = 2.0  # seconds after the first signal until a hint is printed


class StopOnSignal:
    """Context manager under which SIGINT, SIGTERM and SIGHUP stop the running session. Main thread only.

    SIGHUP stays ignored if it is when the context is entered, as under `nohup`. SIGINT does not: shells ignore it for jobs in
    the background, which `kill -INT` must be able to stop.

    Python runs a signal handler only when the main thread executes Python code, not while a model computes or a driver
    hangs. A separate thread therefore receives the signals as well. The first signal stops the session. The second one
    exits the process after `_GRACE` seconds, or sooner once all processors are closed, even if the main thread is blocked.
    The exit skips Python's own shutdown, which is slow with large libraries loaded. No recorded data is lost: journals are
    on disk.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._session: Session | Rig | None = None
        self._before: dict[int, Any] = {}
        self._handled = 0
        self._last: int | None = None  # the second signal, which quits immediately
        self._done = threading.Event()

    @property
    def exit_code(self) -> int:
        """128 plus the signal number, as in shells; 0 without a signal."""
        return 128 + self.received if self.received else 0

    @contextmanager
    def stops(self, session: Session | Rig) -> Iterator[None]:
        """Stop this session or rig on a signal while the block runs. If it is still opening, the block exits early."""
        self._session = session
        if self.received is not None:
            session.stop()
        try:
            yield
        except KeyboardInterrupt:  # raised by `_handle`, or by Ctrl-C before the handler was installed
            if self.received is None:
                raise
        finally:
            self._session = None

    def __enter__(self) -> Self:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._before = {
            number: signal.signal(number, self._handle)
            for number in _SIGNALS
            if number in _ALWAYS or signal.getsignal(number) is not signal.SIG_IGN
        }
        self._wakeup = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
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
        self._sender.close()  # ends the thread

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; runs in the main thread at an arbitrary point and must not block."""
        self._handled += 1
        if self.received is None:
            self.received = number
        if self._handled > 1:
            self._last = number
            raise SystemExit(128 + number)
        if self._session is not None and self._session.state == "starting":
            raise KeyboardInterrupt  # abandons a source that hangs in open; the other components are closed normally

    def _listen(self) -> None:
        """Receive signals while the main thread cannot; runs in its own thread."""
        count = 0
        with self._receiver:
            while data := self._receiver.recv(1):
                number = data[0]
                if number not in self._before:
                    continue
                count += 1
                if count == 1:
                    self._stop(number)
                else:
                    time.sleep(_GRACE)
                    _leave(128 + number)

    def _stop(self, number: int) -> None:
        if self.received is None:
            self.received = number
        if self._session is not None:
            self._session.stop()
        threading.Thread(target=self._print_hint, name="dlclive hint", daemon=True).start()

    def _print_hint(self) -> None:
        if not self._done.wait(_HINT_AFTER):
            warn("still finishing the files; press Ctrl-C again to quit immediately")


def _leave(code: int) -> None:
    """Exit immediately."""
    flushing = threading.Thread(target=sys.stderr.flush, daemon=True)
    flushing.start()
    flushing.join(_FLUSH)
    os._exit(code)
