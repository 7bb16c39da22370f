"""The base of outputs that tell another program: a message at every change, and nothing in between."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Mapping

from dlclive_core import Output, Reason, TriggerEvent, UsageError, check_number
from dlclive_streams.changes import Change


class MessageOutput(Output):
    """An output whose state is told to a receiver, which may be slow or gone: nothing waits for it.

    A subclass sends with `_send` and `_tell`, which must not wait and must not raise for what the receiver or the network does.
    The state is that on this side: whether the receiver acts on it is not known. All calls to a subclass come from one thread
    at a time, under a lock.

    Args:
        lifespan: seconds without a pose after which it is switched off: longer than the longest interval between two poses.
        repeat: seconds after which the state is sent again, so that a receiver can notice that messages stop; 0: never.
    """

    fails_safe = False
    safety = (
        "a message cannot be fail-safe: if the program, the computer or the network dies, the receiver is told nothing"
    )

    def __init__(self, *, lifespan: float, repeat: float = 0.0) -> None:
        self._lifespan = check_number("lifespan", lifespan, above=0, most=60)
        self._repeat = check_number("repeat", repeat, least=0, most=3600)
        self._lock = threading.Condition(threading.RLock())
        self._guard: threading.Thread | None = None
        self._opened = False
        self._requested, self._is_on = False, False
        self._renewed_at = self._repeat_at = 0.0
        self._unix = 0.0
        self._messages = self._lapsed = 0
        self._last = Change(False, Reason.END, -1, 0.0, 0.0)

    @property
    def is_on(self) -> bool:
        return self._is_on

    def counts(self) -> Mapping[str, float]:
        """Changes that were sent (`changes`), and how often it was switched off because poses stopped (`lapsed`)."""
        return {"changes": self._messages, "lapsed": self._lapsed}

    def open(self, origin: float) -> None:
        """Connect, switched off. Raises UsageError, DependencyError, OutputError."""
        self.close()
        self._requested = self._is_on = False
        self._messages = self._lapsed = 0
        self._unix = time.time() - time.perf_counter()
        self._last = self._change(False, Reason.END, -1, 0.0)
        try:
            self._connect()
        except BaseException:
            self._disconnect()
            raise
        self._opened = True
        self._repeat_at = time.perf_counter() + self._repeat
        self._guard = threading.Thread(target=self._watch, name=f"dlclive {type(self).__name__}", daemon=True)
        self._guard.start()

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        with self._lock:
            if not self._opened:
                raise UsageError("the output is not open; call open() before process(), or run it in a Session")
            self._renewed_at = time.perf_counter()
            if on != self._requested:
                self._requested = on
                self._switch(on, reason, frame, age)
            self._renewed(age)

    def notify(self, event: TriggerEvent) -> None:
        with self._lock:
            if self._opened:
                self._tell(event)

    def off(self, reason: Reason) -> None:
        with self._lock:
            if self._opened:
                self._requested = False
                self._switch(False, reason, -1, 0.0)
                self._renewed(0.0)

    def close(self) -> None:
        """Switch off, and disconnect. Raises OutputError where the receiver has to confirm that it is off, and does not."""
        try:
            self.off(Reason.END)
        finally:
            with self._lock:
                was_open, self._opened = self._opened, False
                self._lock.notify_all()
            if self._guard is not None:
                self._guard.join()
                self._guard = None
            if was_open:
                self._disconnect()

    # ---- for subclasses

    @abstractmethod
    def _connect(self) -> None:
        """Open what messages go through."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Release it, after what was sent has left. Safe to call if `_connect` failed half way."""

    @abstractmethod
    def _send(self, change: Change) -> None:
        """Send a change of the state, or the state again."""

    def _tell(self, event: TriggerEvent) -> None:
        """Send an event of the trigger."""

    def _renewed(self, age: float) -> None:
        """All of one moment was sent; `age` is that of the frame behind it, 0 without one."""

    # ---- the state

    def _change(self, on: bool, reason: Reason, frame: int, age: float) -> Change:
        return Change(on, reason, frame, age, self._unix + time.perf_counter())

    def _switch(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        if on == self._is_on:
            return
        self._is_on = on
        self._messages += 1
        self._last = self._change(on, reason, frame, age)
        self._repeat_at = time.perf_counter() + self._repeat
        self._send(self._last)
        if on:
            self._lock.notify_all()  # the guard waits for the end of the lifespan

    def _watch(self) -> None:
        """Switch off when poses stop, and repeat the state. One wait for a whole lifespan: poses do not wake it."""
        with self._lock:
            while self._opened:
                now = time.perf_counter()
                if self._is_on and now >= self._renewed_at + self._lifespan:
                    self._lapsed += 1
                    self._switch(False, Reason.LAPSED, -1, 0.0)
                    self._renewed(0.0)
                if self._repeat and now >= self._repeat_at:
                    self._repeat_at = now + self._repeat
                    self._send(self._last)
                due = [self._renewed_at + self._lifespan] if self._is_on else []
                due += [self._repeat_at] if self._repeat else []
                self._lock.wait(max(0.0, min(due) - now) if due else None)
