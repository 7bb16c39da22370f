"""The time of each processor per frame, for 4 animals with 20 keypoints.

    python benchmarks/processors.py [NAME ...] [--frames 3000]

Measures every processor that is installed, or those named. One that needs options has a line in OPTIONS, one that needs a file or a board
gets a small one: a class that smooths, a linear classifier of ten poses, a terminal that swallows what the laser's board is sent.
`lick-led` waits for its board, and `led` measures instead of working; they are left out. First each runs by itself; then
they take turns at every frame, so that each finds the caches full of what the others used, as after a network. One that does nothing
is beside them: its times are what the machine does to all. The animals walk through the picture; one keypoint
in twenty is unseen. Next to the time that passed is the CPU time of the thread: without that in which another program had the core.
Writes processors.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from dlclive_processors import CallableOutput, DistanceTrigger, SpeedTrigger
from numpy.typing import NDArray

from dlclive_core import (
    DLCLiveError,
    Frame,
    ModelCard,
    PluginCatalog,
    Pose,
    Processor,
    ProcessorInfo,
    RunInfo,
    Skeleton,
)
from dlclive_core.machine.load import load
from dlclive_core.machine.system import system_info
from dlclive_core.session.array_processor import as_processor

OUT = Path(__file__).with_suffix(".md")
ANIMALS, KEYPOINTS, FPS = 4, 20, 100.0
LIMIT = 0.1  # ms
WARM_UP = 100
LEFT_HALF = [[0, 0], [320, 0], [320, 480], [0, 480]]

OPTIONS: dict[str, dict[str, Any]] = {
    "all": {"of": [SpeedTrigger(100.0), DistanceTrigger(50.0, a="k0", b="k1")]},
    "angle": {"a": "k0", "b": "k1", "c": "k2", "below": 90.0},
    "any": {"of": [SpeedTrigger(100.0), DistanceTrigger(50.0, a="k0", b="k1")]},
    "distance": {"below": 50.0, "a": "k0", "b": "k1"},
    "freezing": {"speed": 20.0},
    "heading": {"tail": "k0", "nose": "k1", "toward": [320, 240]},
    "kalman": {"horizon": 0.02},
    "not": {"of": SpeedTrigger(100.0)},
    "outliers": {"max_speed": 2000.0},
    "region": {"polygon": LEFT_HALF, "keypoint": "k0"},
    "rule": {"when": "k0.y < k1.y - 20 and speed(k0) < 5"},
    "sequence": {"of": [SpeedTrigger(100.0), DistanceTrigger(50.0, a="k0", b="k1")], "within": 1.0},
    "speed": {"threshold": 300.0},
    "stimulate": {"output": CallableOutput(bool), "polygon": LEFT_HALF, "keypoint": "k0"},
}
"""Options by the processor's name, as keyword arguments of its class."""

SKELETON = Skeleton(tuple(f"k{index}" for index in range(KEYPOINTS)))
NAMES = tuple(f"mouse{number}" for number in range(ANIMALS))


def poses(count: int) -> list[tuple[Pose, Frame]]:
    """Animals on circles of 300 px, at about 500 px/s, with 1 px of noise."""
    rng = np.random.default_rng(0)
    image = np.zeros((480, 640, 3), np.uint8)
    body = rng.normal(0, 20, (ANIMALS, KEYPOINTS, 2))
    made = []
    for number in range(count):
        angle = number / FPS * 500 / 150 + np.arange(ANIMALS) * 2 * np.pi / ANIMALS
        centre = np.stack([320 + 150 * np.cos(angle), 240 + 150 * np.sin(angle)], axis=-1)
        keypoints = np.empty((ANIMALS, KEYPOINTS, 3), np.float32)
        keypoints[..., :2] = centre[:, None] + body + rng.normal(0, 1, body.shape)
        keypoints[..., 2] = np.where(rng.random((ANIMALS, KEYPOINTS)) < 0.95, 0.9, 0.2)
        made.append((Pose(keypoints, SKELETON, ids=NAMES), Frame(image, number, number / FPS, number / FPS)))
    return made


MINE = """
class Smooth:
    def __init__(self):
        self.mean = None

    def process(self, pose, **kwargs):
        self.mean = pose.copy() if self.mean is None else 0.5 * self.mean + 0.5 * pose
        return self.mean

    def save(self, filename):
        return 0
"""


@contextmanager
def files_and_boards() -> Iterator[dict[str, dict[str, Any]]]:
    """Options for the processors that need more than numbers and names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mine.py").write_text(MINE, encoding="utf-8")
        options: dict[str, dict[str, Any]] = {
            "deeplabcut-live": {"file": f"{folder / 'mine.py'}::Smooth"},
            "classifier": {"model": str(linear_classifier(folder / "classifier.onnx", window=10))},
        }
        if os.name != "posix":
            yield options
            return
        import pty
        import tty

        board, terminal = pty.openpty()
        tty.setraw(terminal)
        os.set_blocking(board, False)
        try:
            yield {**options, "teensy-laser": {"com": os.ttyname(terminal), "box": [0, 0, 320, 480]}}
        finally:
            os.close(board)
            os.close(terminal)


def linear_classifier(path: Path, window: int) -> Path:
    """A probability from the keypoints of the last poses."""
    nodes = [
        onnx.helper.make_node("Flatten", ["poses"], ["flat"], axis=1),
        onnx.helper.make_node("MatMul", ["flat", "weights"], ["sum"]),
        onnx.helper.make_node("Sigmoid", ["sum"], ["scores"]),
    ]
    kind = onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).normal(0, 1e-4, (window * KEYPOINTS * 3, 1)).astype(np.float32)
    graph = onnx.helper.make_graph(
        nodes,
        "classifier",
        [onnx.helper.make_tensor_value_info("poses", kind, ["animals", window, KEYPOINTS, 3])],
        [onnx.helper.make_tensor_value_info("scores", kind, None)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    return path


SHOWN = {
    "deeplabcut-live": {"a class that smooths": ""},
    "classifier": {"linear, of 10 poses": ""},
    "teensy-laser": {"a board on a terminal": "", "box": ""},
}
"""What the page says of the options of `files_and_boards`."""
WAITING = {"lick-led": "waits for its board's answer", "led": "measures the latency, and works at trials only"}
"""Why a processor is left out."""


def built(names: list[str], more: dict[str, dict[str, Any]]) -> tuple[dict[str, Processor], dict[str, str]]:
    """The processors, and why others could not be built."""
    catalog = PluginCatalog.installed()
    ready: dict[str, Processor] = {"(nothing)": Processor()}
    failed = {}
    for info in catalog.components(ProcessorInfo):
        if names and info.name not in names:
            continue
        options = OPTIONS.get(info.name) or more.get(info.name, {})
        try:
            ready[info.name] = as_processor(catalog.build(ProcessorInfo, info.name, **options))
        except DLCLiveError as error:
            failed[info.name] = f"{WAITING.get(info.name, error)}"
    return ready, failed


def measure(processors: dict[str, Processor], frames: list[tuple[Pose, Frame]]) -> dict[str, NDArray[np.float64]]:
    """(2, calls) by name: the milliseconds of each call, and those of the CPU."""
    run = RunInfo(
        card=ModelCard(net_type="test", skeleton=SKELETON, individuals=NAMES),
        source="benchmark",
        is_live=False,
        frame_size=(640, 480),
        fps=FPS,
        frame_count=len(frames),
        started_at=datetime.now(timezone.utc),
        started_clock=0.0,
    )
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in processors}
    try:
        for processor in processors.values():
            processor.open(run)
        for number, (pose, frame) in enumerate(frames):
            for name, processor in processors.items():
                began, worked = time.perf_counter(), time.thread_time()
                processor.process(pose, frame)
                worked, ended = time.thread_time() - worked, time.perf_counter()
                if number >= WARM_UP:
                    times[name].append((1000 * (ended - began), 1000 * worked))
    finally:
        for processor in processors.values():
            processor.close()
    return {name: np.array(values).T for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--frames", type=int, default=3000)
    options = parser.parse_args()
    with files_and_boards() as more:
        page = report(options, *built(options.names, more))
    print(page)
    if not options.names:
        OUT.write_text(page, encoding="utf-8")


def report(options: argparse.Namespace, processors: dict[str, Processor], failed: dict[str, str]) -> str:
    """Measure, and return the page."""
    frames = poses(WARM_UP + options.frames)
    alone = {name: measure({name: processor}, frames)[name][1] for name, processor in processors.items()}
    times = measure(processors, frames)
    info = system_info()
    lines = [
        "# The time of each processor",
        "",
        f"Made with `python benchmarks/processors.py`: {ANIMALS} animals x {KEYPOINTS} keypoints, {options.frames} frames: the median of each",
        f"alone, and all in turns. {info['processor']}, {info['cpus']} CPUs, load {(load() or [float('nan')])[0]:g}. Milliseconds per frame; the aim is {LIMIT} ms.",
        "On a machine that other programs use, CPU time is nearest to what a processor needs, though they also slow down the core and empty its",
        "caches; what passed also counts the waiting for a core. The first row does nothing.",
        "",
        "| processor | options | alone: CPU, p50, ms | in turns: CPU, p50, ms | p95 | p99 | passed: p50, ms | p95 | p99 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, values in times.items():
        given = ", ".join(
            f"{option}={value:g}" if isinstance(value, float) else option
            for option, value in OPTIONS.get(name, SHOWN.get(name, {})).items()
        )
        cells = " | ".join(f"{value:.3f}" for row in values[::-1] for value in np.quantile(row, (0.5, 0.95, 0.99)))
        lines.append(f"| {name} | {given} | {np.median(alone[name]):.3f} | {cells} |")
    lines += [f"| {name} | not measured: it {reason} | | | | | | | |" for name, reason in failed.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
