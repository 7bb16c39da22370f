"""Compares the latency that a device measures with what is known about a rendered source and a simulated device.

    python benchmarks/closed_loop_latency.py --trials 100

For each trial the truth has two parts: the LED's pin was set at a time that the simulator recorded, the source notes when it
captured each frame, and the session knows how long it took from there to the command. What is left of the device's number is
the way from the command to the output's pin. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from pathlib import Path

import numpy as np
from dlclive_processors import LedLatency
from dlclive_processors.simulator import Simulator

from dlclive_core import Frame, Session, load_model
from dlclive_core.demo import MODEL
from dlclive_core.demo.live import LiveMouse


class LoggedMouse(LiveMouse):
    """Notes when each frame was captured."""

    def __init__(self, light: Path) -> None:
        super().__init__(fps=60, light=light)
        self.captured: dict[int, float] = {}

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        self.captured[frame.index] = frame.captured_at
        return frame


def measure(trials: int, delay: float) -> dict[str, np.ndarray]:
    """Milliseconds of each answered trial: the device's latency, the frame's wait, the age at the command, what is left."""
    with tempfile.TemporaryDirectory() as name:
        light = Path(name) / "light"
        light.write_bytes(b"\0")
        with Simulator(Path(name), f"--light={light}") as simulator, load_model(MODEL, device="cpu") as model:
            source, probe = LoggedMouse(light), LedLatency(simulator.port, trials=trials, delay=delay)
            session = Session(source=source, model=model, processors=[probe])
            threading.Thread(target=lambda: (probe.finished.wait(), session.stop()), daemon=True).start()
            session.run()
            changes = simulator.changes()
    before = [0, *(levels for _, levels in changes)]
    lights = [when for (when, levels), last in zip(changes, before, strict=False) if levels & 2 & ~last][-trials:]
    rows = []
    for trial, lit in zip(probe.trials, lights, strict=True):
        if trial.latency is not None and trial.frame is not None:
            wait = source.captured[trial.frame] - lit
            rows.append((trial.latency, wait, trial.age, trial.latency - wait - trial.age))
    columns = 1e3 * np.asarray(rows).T
    return dict(zip(("LED to output", "wait for a frame", "capture to command", "left"), columns, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    options = parser.parse_args()
    print("| delay put in [ms] | part | p50 [ms] | p95 [ms] | p99 [ms] | max [ms] |\n|---|---|---|---|---|---|")
    for delay in (0.0, 0.02):
        for name, values in measure(options.trials, delay).items():
            numbers = [*np.percentile(values, (50, 95, 99)), values.max()]
            print(f"| {1e3 * delay:g} | {name} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")


if __name__ == "__main__":
    main()
