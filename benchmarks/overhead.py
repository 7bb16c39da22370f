"""What lies between a numpy frame and a numpy pose, besides the runtime: `load_model(...).predict` against the bare call.

    python benchmarks/overhead.py MODEL [--runtime onnx] [--sizes 658x302 64x64] [--rounds 40]

The raw_call call is the runtime's own, of the very session that the model holds, on the same array (`Network.raw_call`): ONNX Runtime's
`session.run`, PyTorch's module in inference mode. What the two give is the same; the model makes a Pose of it that the caller
may keep. Both are timed alternately in one process, and medians are compared.
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
    """Milliseconds of bare calls and of `predict`, alternately, each first in every other round."""
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
    """Read (width, height) from 658x302."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    """Print a Markdown table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("model", type=Path)
    words.add_argument("--runtime")
    words.add_argument("--precision", default="auto")
    words.add_argument("--device", default="cpu")
    words.add_argument("--sizes", nargs="+", type=size_of, default=[(658, 302), (64, 64)], metavar="WIDTHxHEIGHT")
    words.add_argument("--rounds", type=int, default=40, help="for the largest size; smaller ones get more")
    given = words.parse_args()
    info = system_info()
    rng = np.random.default_rng(0)
    with load_model(given.model, given.runtime, device=given.device, precision=given.precision) as model:
        if not isinstance(model, BottomUpModel):
            raise UsageError("give a network that finds animals in whole images: others do more than one call")
        print(f"{info['processor']}, {info['cpus']} CPUs; {given.model.name} on {model.runtime}, {model.device}\n")
        print(
            "| frame | rounds | bare call, ms | predict, ms | predict / bare | predict - bare, ms |\n|---|---|---|---|---|---|"
        )
        largest = max(width * height for width, height in given.sizes)
        for width, height in given.sizes:
            image = rng.integers(0, 255, (height, width, 3), np.uint8)
            rounds = min(2000, given.rounds * largest // (width * height))
            bare, whole = (statistics.median(times) for times in compare(model, image, rounds))
            print(
                f"| {width} x {height} | {rounds} | {bare:.3f} | {whole:.3f} | {whole / bare:.3f} | {whole - bare:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
