"""The overhead over the runtime, from a numpy frame to a numpy pose: `load_model(...).predict` against the bare call.

    python benchmarks/overhead.py MODEL [--runtime onnx] [--sizes 658x302 64x64] [--rounds 40]

The bare call (`Network.raw_call`) is the runtime's own, on the model's session and the same array: ONNX Runtime's `session.run`, or
PyTorch's module in inference mode. Both compute the same; the model also creates a Pose that the caller may keep. Both are timed
alternately in one process, and medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError, load_model
from dlclive_core.machine.system import system_info
from dlclive_core.models.bottom_up import BottomUpModel


def compare(model: BottomUpModel, image: NDArray[np.uint8], rounds: int) -> tuple[list[float], list[float]]:
    """The milliseconds of bare calls and of `predict`, alternating; each goes first in every other round."""
    calls: list[tuple[Callable[[], object], list[float]]] = [
        (model.network.raw_call(image[None]), []),
        (partial(model.predict, image), []),
    ]
    for number in range(-3, rounds):
        for call, times in calls if number % 2 else calls[::-1]:
            began = time.perf_counter()
            call()
            if number >= 0:
                times.append(1e3 * (time.perf_counter() - began))
    return calls[0][1], calls[1][1]


def size_of(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT into (width, height)."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--runtime")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", nargs="+", type=size_of, default=[(658, 302), (64, 64)], metavar="WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=40, help="rounds for the largest size; smaller sizes get more")
    options = parser.parse_args()
    info = system_info()
    rng = np.random.default_rng(0)
    with load_model(options.model, options.runtime, device=options.device, precision=options.precision) as model:
        if not isinstance(model, BottomUpModel):
            raise UsageError("the model must be a bottom-up network: others need more than one call per frame")
        print(f"{info['processor']}, {info['cpus']} CPUs; {options.model.name} on {model.runtime}, {model.device}\n")
        print(
            "| frame | rounds | bare call, ms | predict, ms | predict / bare | predict - bare, ms |\n|---|---|---|---|---|---|"
        )
        largest = max(width * height for width, height in options.sizes)
        for width, height in options.sizes:
            image = rng.integers(0, 255, (height, width, 3), np.uint8)
            rounds = min(2000, options.rounds * largest // (width * height))
            bare, total = (statistics.median(times) for times in compare(model, image, rounds))
            print(
                f"| {width} x {height} | {rounds} | {bare:.3f} | {total:.3f} | {total / bare:.3f} | {total - bare:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
