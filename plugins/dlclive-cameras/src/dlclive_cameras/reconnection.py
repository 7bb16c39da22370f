"""Reconnection to a camera in a background thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from dlclive_cameras.connection import Connection
from dlclive_core import DLCLiveError, SourceError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds; doubled after each try


class Reconnection:
    """Closes a broken connection and tries to open a new one: at once, then after 0.1 s, 0.2 s, 0.4 s, ... up to 5 s.

    Args:
        connect: returns a new connection or raises a DLCLiveError; may block for long without blocking `wait`.
        broken: connection to close first.
        seconds: how long to try.
        name: of the camera, for messages.
    """

    def __init__(self, connect: Callable[[], Connection], broken: Connection, seconds: float, name: str) -> None:
        self._connect, self._broken, self._name = connect, broken, name
        self._seconds = seconds
        self._until = time.perf_counter() + seconds
        self._error = ""
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._done = threading.Event()
        self._stop = threading.Event()
        # Not a daemon: a thread that Python ends inside a driver aborts the process.
        self._thread = threading.Thread(target=self._run, name=f"dlclive reconnect {name}", daemon=False)
        self._thread.start()

    def wait(self, timeout: float) -> Connection:
        """Return the new connection.

        Raises:
            TimeoutError: there is none within `timeout` seconds.
            SourceError: the camera did not come back in time.
        """
        done = self._done.wait(max(0.0, timeout))
        if done and self._connection is not None:
            return self._connection
        if done or time.perf_counter() > self._until:
            reason = f": {self._error}" if self._error else ""
            raise SourceError(f"{self._name} disconnected and did not come back within {self._seconds:g} s{reason}")
        raise TimeoutError

    def stop(self) -> None:
        """Give up; a connection that still opens is closed. Waits at most a second, since a driver may hang."""
        with self._lock:
            self._stop.set()
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._thread.join(1.0)

    def _run(self) -> None:
        self._broken.close()
        pause = _FIRST_PAUSE
        while not self._stop.is_set() and threading.main_thread().is_alive():
            connection = None
            with contextlib.suppress(Exception):  # the next try may succeed; the last message is kept
                connection = self._try()
            if connection is not None:
                with self._lock:
                    if not self._stop.is_set():
                        self._connection = connection
                        self._done.set()
                        return
                connection.close()
                return
            remaining = self._until - time.perf_counter()
            if remaining <= 0:
                break
            self._stop.wait(min(pause, remaining))
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._done.set()

    def _try(self) -> Connection | None:
        try:
            return self._connect()
        except DLCLiveError as error:
            self._error = str(error)
            return None
