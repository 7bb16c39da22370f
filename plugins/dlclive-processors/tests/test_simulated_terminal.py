"""The simulated device's own clock, with a clock of the host that is made up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

if os.name != "posix":
    pytest.skip("pseudo-terminals need a POSIX system", allow_module_level=True)

from dlclive_processors.output.protocol import ON_VALUES, VERSION, Limits, Type, message
from dlclive_processors.simulator.device import Device
from dlclive_processors.simulator.terminal import Terminal

TURN = 0.0005


class Rig:
    """A host that writes by hand, and a device that is run by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(
            "dlclive_processors.simulator.terminal.time", SimpleNamespace(perf_counter=lambda: self.now)
        )
        self.device = Device(Limits(pulse_us=10_000_000))
        self.terminal = Terminal(self.device)
        self.port = os.open(self.terminal.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.sequence = 0
        self.turn()

    def close(self) -> None:
        os.close(self.port)
        os.close(self.terminal._master)

    def send(self, kind: Type, values: bytes = b"") -> None:
        self.sequence += 1
        os.write(self.port, message(kind, self.sequence, self.terminal._clock(), values))

    def turn(self, seconds: float = TURN) -> None:
        self.now += seconds
        self.terminal._step()

    def run(self, seconds: float, beat_every: float = 0.0) -> None:
        """In the short turns of a computer that has time."""
        for number in range(round(seconds / TURN)):
            if beat_every and number % round(beat_every / TURN) == 0:
                self.send(Type.BEAT)
            self.turn()


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    made = Rig(monkeypatch)
    made.send(Type.HELLO, bytes((VERSION,)))
    made.run(0.02, beat_every=0.005)
    made.send(Type.ON, ON_VALUES.pack(0, 5_000_000, 0, 0))
    made.run(0.2, beat_every=0.005)
    assert made.device.levels == 1
    yield made
    made.close()


def test_a_delayed_simulator_reads_waiting_bytes_before_its_watchdog_runs(rig: Rig) -> None:
    for _ in range(3):
        rig.send(Type.BEAT)  # on its way when the computer stops
        rig.turn(0.15)
        assert rig.device.levels == 1
        rig.run(0.04)
        assert rig.device.levels == 1
    assert rig.device.trips == 0


@pytest.mark.parametrize("held_up", [0.0, 0.15, 5.0])
def test_a_dead_host_trips_the_watchdog_on_the_device_clock(rig: Rig, held_up: float) -> None:
    if held_up:
        rig.turn(held_up)
    rig.run(0.04)
    assert rig.device.levels == 1
    rig.run(0.02)
    assert rig.device.levels == 0
    assert rig.device.trips == 1
