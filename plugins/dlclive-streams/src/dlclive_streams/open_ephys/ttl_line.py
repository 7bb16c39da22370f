"""A TTL line of Open Ephys' Network Events, served by a thread, so that nobody waits for an answer."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zmq

_log = logging.getLogger(__name__)

_HANDLED = re.compile(r"TTLHandled: *Line=(\d+) *State=([01])", re.IGNORECASE)
_LONGEST_ANSWER = 4096  # bytes


@dataclass(slots=True)
class LineCounts:
    """What became of the requests.

    Attributes:
        acknowledged: answered as they should be.
        refused: answered otherwise.
        unanswered: not answered in time, or without a connection.
        skipped: changes that were overtaken by a newer one while an answer was waited for.
    """

    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    skipped: int = 0


class TtlLine:
    """Requests states of one line, by ZeroMQ: `TTL Line=3 State=1`, answered by `TTLHandled: Line=3 State=1`.

    The newest request waits in a mailbox of one. One that is not answered in time is asked again, on a new connection, with the
    state that is wanted by then; one that is refused is not.

    The thread shares Python's lock with the loop, which waits for it: so a request and its answer are few calls, and no text is
    made or parsed for an answer that is word for word the expected one.

    Args:
        address: such as `tcp://127.0.0.1:5556`.
        line: from 1.
        timeout: seconds to wait for an answer.

    Attributes:
        counts: so far.
        answer: the newest answer that was not the expected one.
    """

    def __init__(self, address: str, line: int, timeout: float) -> None:
        self._address, self._line, self._timeout = address, line, timeout
        self.counts = LineCounts()
        self.answer = ""
        self._asked = [f"TTL Line={line} State={state}".encode() for state in (0, 1)]
        self._expected = [f"TTLHandled: Line={line} State={state}".encode() for state in (0, 1)]
        self._changed = threading.Condition()
        # Holds something while a request waits. It wakes the thread in less time than the condition, which is for `wait_until`.
        self._mailbox: SimpleQueue[None] = SimpleQueue()
        self._wanted: bool | None = None  # the newest request that was not dealt with
        self._confirmed: bool | None = None  # the state in the newest good answer
        self._ending = False
        self._troubled = False
        self._thread = threading.Thread(target=self._run, name="dlclive open-ephys", daemon=True)
        self._thread.start()

    def request(self, on: bool) -> None:
        """Request a state. Returns at once."""
        with self._changed:
            if self._wanted is None:
                self._mailbox.put(None)
            elif self._wanted is not on:
                self.counts.skipped += 1
            self._wanted, self.answer = on, ""

    def wait_until(self, on: bool, timeout: float) -> bool:
        """Wait until a state was confirmed, or the request refused; whether it was confirmed."""
        with self._changed:
            self._changed.wait_for(lambda: self._confirmed is on or bool(self.answer), timeout)
            return self._confirmed is on

    def close(self, timeout: float) -> bool:
        """Request off, and wait for the confirmation; whether it came. The line cannot be used afterwards."""
        self.request(False)
        is_off = self.wait_until(False, timeout)
        with self._changed:
            self._ending = True
            self._mailbox.put(None)
        self._thread.join(0.5)  # it may be waiting for an answer; it ends by itself
        return is_off

    def _run(self) -> None:
        import zmq

        context = zmq.Context()
        socket: zmq.Socket[bytes] | None = None
        try:
            while True:
                self._mailbox.get()
                with self._changed:
                    if self._wanted is None:  # ending; off, if it is still to be asked for, is asked for first
                        return
                    on, self._wanted = self._wanted, None
                    if self._confirmed is not on:
                        self._confirmed = None  # until the answer is there, nobody knows
                socket = socket or self._connected(context)
                answer = self._ask(socket, on)
                if answer is None:
                    socket.close(
                        linger=0
                    )  # what it asked is forgotten; a REQ socket without its answer can ask nothing more
                    socket = None
                self._note(on, answer)
        finally:
            if socket is not None:
                socket.close(linger=0)
            context.term()

    def _connected(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        import zmq

        socket = context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.IPV6, int("[" in self._address))
        socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing waits for a connection, to be delivered much later
        socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_ANSWER)
        milliseconds = max(1, int(1000 * self._timeout))
        socket.setsockopt(zmq.SNDTIMEO, milliseconds)
        socket.setsockopt(zmq.RCVTIMEO, milliseconds)
        socket.connect(self._address)
        return socket

    def _ask(self, socket: zmq.Socket[bytes], on: bool) -> bytes | None:
        """The answer; None if there was none in time."""
        import zmq

        try:
            socket.send(self._asked[on])
            answer = socket.recv()
            if answer != self._expected[on] and socket.getsockopt(zmq.RCVMORE):
                answer = b" ".join([answer, *socket.recv_multipart()])
            return answer
        except zmq.ZMQError:
            return None

    def _note(self, on: bool, answer: bytes | None) -> None:
        with self._changed:
            if answer is None:
                self.counts.unanswered += 1
                if self._wanted is None and not self._ending:
                    self._wanted = on
                    self._mailbox.put(None)
                self._warn(f"does not answer within {self._timeout:g} s; the state of line {self._line} is not known")
            elif answer == self._expected[on] or self._is_handled(on, answer):
                self.counts.acknowledged += 1
                self._confirmed, self._troubled, self.answer = on, False, ""
            else:
                self.counts.refused += 1
                self.answer = _text(answer)[:100]
                self._warn(f"refuses line {self._line}: {self.answer!r}")
            self._changed.notify_all()

    def _is_handled(self, on: bool, answer: bytes) -> bool:
        handled = _HANDLED.fullmatch(_text(answer).strip())
        return handled is not None and handled.groups() == (str(self._line), str(int(on)))

    def _warn(self, what: str) -> None:
        """Once, until an answer is good again; before the first good one, `open` raises what it has to say."""
        if not self._troubled and self.counts.acknowledged:
            self._troubled = True
            _log.warning("Open Ephys at %s %s", self._address, what)


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")
