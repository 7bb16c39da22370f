"""The host's end of the serial line to the device. Standard library only: the heartbeat process imports this."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from statistics import median

from dlclive_processors.output.channel import Line
from dlclive_processors.output.protocol import CLOCK, Answer, Splitter, Type, message, read_answer

_FORGET = 1.0  # seconds after which a message no longer awaits an answer


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message sent to the device. `command` is the session's number of the command, 0 without one."""

    kind: Type
    sequence: int
    at: float
    command: int


class DeviceLink:
    """Sends messages and matches answers to them; an answer without a message is counted and otherwise ignored.

    Args:
        line: the open port.

    Attributes:
        sequence: of the last message, unwrapped.
        strange: number of answers without a message.
        heard_at: time of the last answer.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.sequence = 0
        self.strange = 0
        self.heard_at = time.perf_counter()
        self.longest_trip = 0.0
        self._trips: deque[float] = deque(maxlen=200)
        self._splitter = Splitter()
        self._sent: dict[int, SentMessage] = {}
        self._clock = 0
        self._elapsed = 0

    @property
    def noise(self) -> int:
        """Number of malformed pieces of input."""
        return self._splitter.noise

    @property
    def device_time(self) -> float:
        """The device's clock in its newest answer, in seconds, unwrapped."""
        return self._elapsed / 1e6

    @property
    def round_trip(self) -> float:
        """Median round trip of the last 200 messages, in seconds."""
        return median(self._trips) if self._trips else 0.0

    def send(self, kind: Type, values: bytes = b"", *, command: int = 0, again: int | None = None) -> SentMessage:
        """Send a message; `again` is the sequence number of a repeated one. What the port does not accept at once is lost."""
        if again is None:
            self.sequence += 1
        sequence = self.sequence if again is None else again
        now = time.perf_counter()
        sent = SentMessage(kind, sequence, now, command)
        if again is None:  # a repeated message keeps the time of the first, so that no round trip seems too short
            self._sent[sequence & 0xFFFF] = sent
        self._line.write(message(kind, sequence & 0xFFFF, self._clock, values))
        return sent

    def receive(self) -> list[tuple[SentMessage, Answer]]:
        """Read the available answers. Raises OSError if the port is gone."""
        data = self._line.read()
        now = time.perf_counter()
        answers = []
        for content in self._splitter.feed(data):
            answer = read_answer(content)
            sent = self._sent.pop(answer.sequence, None) if answer is not None else None
            if answer is None or sent is None or sent.kind != answer.type:
                self.strange += 1
                continue
            self._elapsed += (answer.clock - self._clock) % CLOCK
            self._clock = answer.clock
            self.heard_at = now
            self._trips.append(now - sent.at)
            self.longest_trip = max(self.longest_trip, now - sent.at)
            answers.append((sent, answer))
        if len(self._sent) > 64:
            self._sent = {key: sent for key, sent in self._sent.items() if now - sent.at < _FORGET}
        return answers
