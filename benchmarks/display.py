"""The cost of a display for the loop: a live source at 100 frames/s, with and without a display, in turns.

python benchmarks/display.py [--seconds 10] [--rounds 3]

The model waits 3 ms, as for a GPU, so that the loop is measured and not the model. A separate process views the page: it requests
each picture as a browser does. The window needs a screen: xvfb-run -a python benchmarks/display.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time

import numpy as np
from dlclive_io import DisplayWindow, WebDisplay

from dlclive_core import EndOfStream, Frame, FrameSource, Pose, Session, Sink
from dlclive_core.machine.system import system_info
from dlclive_core.testing import NullModel

SIZE, RATE, MODEL_TIME = (1280, 1024), 100, 0.003
VIEWER = """
import json, struct, sys, urllib.request
after = -1
while True:
    try:
        body = urllib.request.urlopen(f"{sys.argv[1]}next?after={after}", timeout=10).read()
    except OSError:
        break
    (length,) = struct.unpack_from("<I", body)
    after = json.loads(body[4 : 4 + length])["sequence"]
"""


class Camera(FrameSource):
    """Pictures at a fixed rate."""

    is_live = True
    frame_size = SIZE
    fps = float(RATE)
    name = "camera"

    def __init__(self, frames: int) -> None:
        noise = np.random.default_rng(0).integers(0, 60, (4, SIZE[1], SIZE[0], 3), np.uint8)
        self._images, self.frame_count, self._index, self._due = list(noise), frames, 0, 0.0

    def read(self, timeout: float) -> Frame:
        if self._index == self.frame_count:
            raise EndOfStream
        self._due = self._due + 1 / RATE if self._index else time.perf_counter()
        time.sleep(max(0.0, self._due - time.perf_counter()))
        self._index += 1
        return Frame(self._images[self._index % 4], self._index - 1, time.perf_counter())


class Waiting(NullModel):
    """Waits some milliseconds without holding the GIL, like a model on a GPU."""

    def predict(self, image: np.ndarray, *, boxes: np.ndarray | None = None) -> Pose:
        time.sleep(MODEL_TIME)
        return super().predict(image)


def run(kind: str, seconds: float) -> tuple[float, float, float, float, int]:
    """p50, p95, p99 and maximum of the loop's latency in ms, and the number of dropped frames."""
    sinks: list[Sink] = [] if kind == "none" else [DisplayWindow() if kind == "window" else WebDisplay(port=0)]
    session = Session(source=Camera(int(seconds * RATE)), model=Waiting(), sinks=sinks)
    running = threading.Thread(target=session.run)
    running.start()
    viewer = None
    if kind == "page, viewed":
        display = sinks[0]
        assert isinstance(display, WebDisplay)
        while not display.url:
            time.sleep(0.01)
        viewer = subprocess.Popen([sys.executable, "-c", VIEWER, display.url])
    running.join()
    if viewer is not None:
        viewer.wait(20)
    report = session.report
    assert report is not None
    latency = next(stage for stage in report.stages if stage.stage == "latency")
    return latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms, report.dropped


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    info = system_info()
    kinds = ["none", "page, not viewed", "page, viewed", *(["window"] if os.environ.get("DISPLAY") else [])]
    print(
        f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}; {SIZE[0]} x {SIZE[1]} RGB at {RATE} frames/s, "
        f"{options.seconds:g} s each, {options.rounds} rounds in turns\n"
    )
    print("| round | display | latency p50, ms | p95 | p99 | max | dropped |\n|---|---|---|---|---|---|---|")
    medians: dict[str, list[tuple[float, ...]]] = {kind: [] for kind in kinds}
    for number in range(options.rounds):
        for kind in kinds:
            *times, dropped = run(kind, options.seconds)
            medians[kind].append(tuple(times))
            cells = " | ".join(f"{value:.2f}" for value in times)
            print(f"| {number + 1} | {kind} | {cells} | {dropped} |", flush=True)
    print("\nMedian of the rounds, compared with none:\n")
    print("| display | p50 | p95 | p99 |\n|---|---|---|---|")
    base = np.median(medians["none"], axis=0)
    for kind in kinds[1:]:
        change = 100 * (np.median(medians[kind], axis=0) / base - 1)
        print("| " + kind + " | " + " | ".join(f"{value:+.0f} %" for value in change[:3]) + " |")


if __name__ == "__main__":
    main()
