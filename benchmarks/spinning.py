"""Benefit and cost of spinning: ONNX Runtime's idle threads wait in a busy loop.

    python benchmarks/spinning.py MODEL.onnx WIDTHxHEIGHT [WIDTHxHEIGHT ...] [--rounds 8] [--busy]

Back to back: blocks of calls of each kind in turns, with a pause before each, so that the spinning of one kind does not disturb the
next. At 30 frames per second: the processor time per second; all time beyond the calls is spent spinning. With --busy, another
process keeps one core busy.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from dlclive_onnx.runtime import OnnxNetwork
from numpy.typing import NDArray

from dlclive_core.machine.system import system_info

KINDS = ("never", "frame", "always")
FPS = 30
_SECONDS = 2.0


def block(network: OnnxNetwork, images: NDArray[np.uint8], calls: int) -> float:
    """The median milliseconds of back-to-back calls."""
    time.sleep(0.1)
    network.run(images)
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        network.run(images)
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


def at_camera_rate(network: OnnxNetwork, images: NDArray[np.uint8]) -> float:
    """The processor time in seconds per second, at 30 frames per second."""
    network.run(images)
    used, began = time.process_time(), time.perf_counter()
    for number in range(int(_SECONDS * FPS)):
        time.sleep(max(0.0, began + number / FPS - time.perf_counter()))
        network.run(images)
    return (time.process_time() - used) / (time.perf_counter() - began)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("sizes", nargs="+", metavar="WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--busy", action="store_true", help="keep one core busy with another process")
    options = parser.parse_args()
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if options.busy else None
    try:
        measure(options.model, options.sizes, options.rounds)
    finally:
        if other is not None:
            other.kill()


def measure(model: Path, sizes: list[str], rounds: int) -> None:
    """Print a Markdown table."""
    info = system_info()
    networks = {kind: OnnxNetwork(model, device="cpu", spinning=kind) for kind in KINDS}
    print(f"{info['processor']}, {info['cpus']} CPUs; {model.name}\n")
    print(
        '| image | spinning | back to back, ms | of "never" | processor seconds in a second at 30 FPS |\n|---|---|---|---|---|'
    )
    for size in sizes:
        width, height = map(int, size.split("x"))
        images = np.random.default_rng(0).integers(0, 255, (1, height, width, 3), np.uint8)
        calls = max(5, 64 * 128 * 128 // (width * height))
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(rounds):
            for kind in KINDS if number % 2 else KINDS[::-1]:
                times[kind].append(block(networks[kind], images, calls))
        for kind in KINDS:
            ratio = statistics.median(a / b for a, b in zip(times[kind], times["never"], strict=True))
            used = at_camera_rate(networks[kind], images)
            print(
                f"| {width} x {height} | {kind} | {statistics.median(times[kind]):.2f} | {ratio:.2f} | {used:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
