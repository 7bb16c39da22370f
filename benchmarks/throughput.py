"""How near does the whole way come to the bare runtime? Decoding, inference and writing overlap, so it should be close.

    python benchmarks/throughput.py MODEL VIDEO [FRAMES [RUNTIME [PRECISION]]]

Interleaved in one run, several rounds: the bare runtime on frames that are in memory already, and a session that decodes them and
writes both tables and the timestamps. The session's two warm-up frames, and opening and finishing its files, are part of its time, so
FRAMES should be several hundred: with 60, they alone are 3 % and more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from dlclive_io import PoseTable, TimestampTable, VideoFile
from numpy.typing import NDArray

from dlclive_core import PoseModel, Session, load_model
from dlclive_core.system import system_info

ROUNDS = 5


def decoded(video: Path, frames: int) -> list[NDArray[np.uint8]]:
    """Frames in memory."""
    with VideoFile(video) as source:
        source.open()
        return [source.read(1.0).image for _ in range(frames)]


def bare(model: PoseModel, images: list[NDArray[np.uint8]]) -> float:
    """Frames per second of inference alone."""
    began = time.perf_counter()
    for image in images:
        model.predict(image)
    return len(images) / (time.perf_counter() - began)


def session(model: PoseModel, video: Path, frames: int, folder: Path) -> float:
    """Frames per second of the whole way."""
    sinks = [
        PoseTable(folder / "t.h5", overwrite=True),
        PoseTable(folder / "t.csv", overwrite=True),
        TimestampTable(folder / "t_times.csv", overwrite=True),
    ]
    began = time.perf_counter()
    report = Session(source=VideoFile(video), model=model, sinks=sinks, max_frames=frames).run()
    assert report.processed == frames
    return frames / (time.perf_counter() - began)


def main() -> None:
    """Print a Markdown table."""
    path, video = Path(sys.argv[1]), Path(sys.argv[2])
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    runtime = sys.argv[4] if len(sys.argv) > 4 else None
    precision = sys.argv[5] if len(sys.argv) > 5 else "auto"
    info = system_info()
    images = decoded(video, frames)
    began = time.perf_counter()
    decoded(video, frames)
    reading = frames / (time.perf_counter() - began)
    with (
        load_model(path, runtime, device="cpu", precision=precision, profile=None) as model,
        tempfile.TemporaryDirectory() as name,
    ):
        model.warmup(images[0].shape)
        print(
            f"{info['processor']}, {info['cpus']} CPUs; {path.name} on {model.runtime}, {model.device}, {video.name}, {frames} frames, "
        )
        print(f"{images[0].shape[1]} x {images[0].shape[0]}; decoding alone {reading:.0f} frames/s\n")
        print("| round | bare runtime, frames/s | session, frames/s | ratio |\n|---|---|---|---|")
        ratios = []
        for number in range(ROUNDS):
            alone, whole = bare(model, images), session(model, video, frames, Path(name))
            ratios.append(whole / alone)
            print(f"| {number + 1} | {alone:.2f} | {whole:.2f} | {whole / alone:.3f} |")
        print(f"\nMedian ratio {statistics.median(ratios):.3f}.")


if __name__ == "__main__":
    main()
