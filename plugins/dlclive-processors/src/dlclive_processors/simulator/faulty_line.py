"""A serial line with faults, for the simulator."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from dlclive_processors.output.protocol import STATE, Splitter, framed


@dataclass(slots=True)
class FaultyLine:
    """A serial line with faults, in both directions.

    Attributes:
        noise: share of pieces in which one byte is corrupted.
        half: share of pieces of which only the first half arrives.
        delay: seconds that each piece takes, in each direction.
        wrong_echo: answers carry a wrong sequence number.
        mute: answers are lost.
        status: every answer carries this status, if it is not 0.
    """

    source: random.Random
    noise: float = 0.0
    half: float = 0.0
    delay: float = 0.0
    wrong_echo: bool = False
    mute: bool = False
    status: int = 0
    _inward: deque[tuple[float, bytes]] = field(default_factory=deque)
    _outward: deque[tuple[float, bytes]] = field(default_factory=deque)

    def command(self, arguments: list[str]) -> None:
        """Set a fault: "noise 0.1", "half 0.1", "delay 0.2", "wrong-echo 1", "mute 1", "status 99"; 0 clears it."""
        name, value = arguments[0].replace("-", "_"), float(arguments[1])
        setattr(self, name, type(getattr(self, name))(value))

    def clear(self) -> None:
        """Discard all bytes in transit."""
        self._inward.clear()
        self._outward.clear()

    def to_device(self, data: bytes, now: float) -> list[bytes]:
        """What arrives at the device now if the host sends this."""
        return self._pass(self._inward, data, now)

    def to_host(self, data: bytes, now: float) -> list[bytes]:
        """What arrives at the host now if the device sends this."""
        if self.mute:
            data = b""
        if self.wrong_echo and data:
            data = b"".join(framed(self._renumbered(content)) for content in Splitter().feed(data))
        if self.status and data:
            data = b"".join(framed(self._with_status(content)) for content in Splitter().feed(data))
        return self._pass(self._outward, data, now)

    def _pass(self, way: deque[tuple[float, bytes]], data: bytes, now: float) -> list[bytes]:
        if data:
            way.append((now + self.delay, self._spoiled(data)))
        arrived = []
        while way and way[0][0] <= now:
            arrived.append(way.popleft()[1])
        return arrived

    def _spoiled(self, data: bytes) -> bytes:
        if self.half and self.source.random() < self.half:
            data = data[: len(data) // 2]
        if self.noise and data and self.source.random() < self.noise:
            index = self.source.randrange(len(data))
            data = data[:index] + self.source.randbytes(1) + data[index + 1 :]
        return data

    @staticmethod
    def _renumbered(content: bytes) -> bytes:
        kind, sequence, *values = STATE.unpack_from(content)
        return STATE.pack(kind, (sequence + 1000) & 0xFFFF, *values) + content[STATE.size :]

    def _with_status(self, content: bytes) -> bytes:
        kind, sequence, clock, _, *values = STATE.unpack_from(content)
        return STATE.pack(kind, sequence, clock, self.status, *values) + content[STATE.size :]
