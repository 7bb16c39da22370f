"""What happened at the pins of a simulated processor, in its own time, and whether it kept what the firmware promises."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from pathlib import Path

from dlclive_processors.output.protocol import HEAD, VERSION, Limits, Splitter, Type, read_answer


@dataclass(slots=True)
class ChipRecord:
    """A record of `chip.c`. Times are in seconds since power-up, by the processor's crystal.

    Attributes:
        pins: (time, levels) of each change; levels has one bit per channel.
        received: (time, content) of each complete message that arrived: the time of its last byte.
        answered: (time, clock) of each answer: the time of its last byte, and the sketch's clock in it, in microseconds.
        resets: times of the restarts.
        end: time of the last line.
    """

    pins: list[tuple[float, int]] = field(default_factory=list)
    received: list[tuple[float, bytes]] = field(default_factory=list)
    answered: list[tuple[float, int]] = field(default_factory=list)
    resets: list[float] = field(default_factory=list)
    end: float = 0.0

    @classmethod
    def read(cls, path: Path, frequency: float = 16e6) -> ChipRecord:
        """Read a file that a chip writes or has written; a line that is not complete yet is left out."""
        record, inward, outward = cls(), Splitter(), Splitter()
        for line in path.read_text(encoding="ascii").splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            cycle, what, value = line.strip().split(",")
            record.end = when = int(cycle) / frequency
            if what == "pins":
                record.pins.append((when, int(value)))
            elif what == "reset":
                record.resets.append(when)
                inward, outward = Splitter(), Splitter()
            elif what == "rx":
                record.received += [(when, content) for content in inward.feed(bytes((int(value),)))]
            else:
                answers = [read_answer(content) for content in outward.feed(bytes((int(value),)))]
                record.answered += [(when, answer.clock) for answer in answers if answer is not None]
        return record

    def highs(self, channel: int) -> list[tuple[float, float]]:
        """(from, to) of each time for which a channel was high."""
        found, since = [], None
        for when, levels in [*self.pins, (self.end, 0)]:
            is_high = bool(levels >> channel & 1)
            if is_high and since is None:
                since = when
            elif not is_high and since is not None:
                found.append((since, when))
                since = None
        return found

    def proofs(self, watchdog: float) -> list[float]:
        """When the host proved that it was alive: a BEAT after a HELLO, whose echo was an answer younger than `watchdog`."""
        proofs, greeted, resets = [], False, list(self.resets)
        for when, content in self.received:
            while resets and resets[0] <= when:
                resets.pop(0)
                greeted = False
            if len(content) < HEAD.size:
                continue
            kind, _, echo = HEAD.unpack_from(content)
            values = content[HEAD.size :]
            if kind in (Type.HELLO, Type.BYE):
                greeted = kind == Type.HELLO and values == bytes((VERSION,))
            elif kind == Type.BEAT and greeted and self._age(echo, when) < watchdog:
                proofs.append(when)
        return proofs

    def _age(self, echo: int, when: float) -> float:
        """Of the newest answer with this clock; infinite if there was none since the last restart."""
        since = max((reset for reset in self.resets if reset <= when), default=0.0)
        last = bisect.bisect_right(self.answered, (when, 1 << 32))
        for answered, clock in reversed(self.answered[max(0, last - 64) : last]):
            if answered < since:
                break
            if clock == echo:
                return when - (since + clock / 1e6)
        return float("inf")

    def longest_high(self, channel: int) -> float:
        """Seconds for which the channel was high without a break, at most."""
        return max((to - since for since, to in self.highs(channel)), default=0.0)

    def longest_unproven(self, watchdog: float, channels: int = 2) -> float:
        """Seconds since the last proof of life while any channel was high, at most. A restart forgets all proofs."""
        never = float("-inf")
        known = sorted(
            [(0.0, never), *((when, when) for when in self.proofs(watchdog)), *((r, never) for r in self.resets)]
        )
        longest = 0.0
        for channel in range(channels):
            for since, to in self.highs(channel):
                first = bisect.bisect_left(known, (since, never)) - 1
                inside = [(when, proof) for when, proof in known[max(0, first) :] if when < to]
                ends = [*(when for when, _ in inside[1:]), to]
                longest = max(longest, *(end - proof for (_, proof), end in zip(inside, ends, strict=True)))
        return longest

    def beyond_duty(self, channel: int, duty: float) -> float:
        """Of all spans of time, the most by which the time on in it exceeds `duty` times the span, in seconds.

        The largest sum of consecutive terms: + (1 - duty) for each second on, - duty for each second off.
        """
        most = excess = last = 0.0
        for since, to in self.highs(channel):
            excess = max(0.0, excess - duty * (since - last)) + (1 - duty) * (to - since)
            most, last = max(most, excess), to
        return most

    def broken_promises(self, limits: Limits, slack: float) -> list[str]:
        """What the firmware promises and did not keep, a line each, beyond `slack` seconds."""
        watchdog, pulse, duty = limits.watchdog_us / 1e6, limits.pulse_us / 1e6, limits.duty_permille / 1e3
        broken = []
        if (unproven := self.longest_unproven(watchdog + slack)) > watchdog + slack:
            broken.append(f"high {1e3 * unproven:.3f} ms after the last proof of life")
        for channel in range(limits.channels):
            if (high := self.longest_high(channel)) > pulse + slack:
                broken.append(f"channel {channel} high for {1e3 * high:.3f} ms")
            if (beyond := self.beyond_duty(channel, duty)) > pulse * (1 - duty) + slack:
                broken.append(f"channel {channel} on for {1e3 * beyond:.3f} ms more than the duty cycle")
        return broken
