"""The throughput of `dlclive analyze` compared with the bare runtime. It should be close: decoding, inference and writing overlap.

    python benchmarks/throughput.py MODEL VIDEO [FRAMES [RUNTIME [PRECISION]]]

Several interleaved rounds in one run: the model alone on frames in memory, one by one and in batches; and sessions as in
`dlclive analyze`, which decode the video and write both tables and the timestamps, one by one and with a batch of 8. A session's
time includes its warm-up and opening and finishing its files, so FRAMES should be a thousand or more. (With batch="auto",
`dlclive analyze` tries both for the time of 50 frames and uses the faster one, for videos of 10,000 frames or more.)
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
from dlclive_core.machine.system import system_info

ROUNDS = 3
BATCH = 8


def decoded(video: Path, frames: int) -> list[NDArray[np.uint8]]:
    """The first frames of the video, in memory."""
    with VideoFile(video) as source:
        source.open()
        return [source.read(1.0).image for _ in range(frames)]


def bare(model: PoseModel, images: list[NDArray[np.uint8]], batch: int) -> float:
    """Frames per second of inference alone."""
    began = time.perf_counter()
    if batch == 1:
        for image in images:
            model.predict(image)
    else:
        for start in range(0, len(images), batch):
            model.predict_batch(images[start : start + batch])
    return len(images) / (time.perf_counter() - began)


def session(model: PoseModel, video: Path, frames: int, folder: Path, batch: int) -> float:
    """Frames per second of a complete session."""
    sinks = [
        PoseTable(folder / "t.h5", overwrite=True),
        PoseTable(folder / "t.csv", overwrite=True),
        TimestampTable(folder / "t_times.csv", overwrite=True),
    ]
    began = time.perf_counter()
    report = Session(source=VideoFile(video), model=model, sinks=sinks, max_frames=frames, batch=batch).run()
    assert report.processed == frames
    return frames / (time.perf_counter() - began)


def main() -> None:
    """Print a Markdown table."""
    path, video = Path(sys.argv[1]), Path(sys.argv[2])
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 1200
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
        print("| round | alone, one by one | alone, in batches | session, one by one | session, in batches |")
        print("|---|---|---|---|---|")
        rows = []
        for number in range(ROUNDS):
            part = images[: len(images) // 2]  # half is enough without start-up and shutdown
            row = [bare(model, part, 1), bare(model, part, BATCH)]
            row += [session(model, video, frames, Path(name), batch) for batch in (1, BATCH)]
            rows.append(row)
            print(f"| {number + 1} | " + " | ".join(f"{rate:.2f}" for rate in row) + " |", flush=True)
    single, batched = (
        statistics.median(ratios) for ratios in zip(*((c / a, d / b) for a, b, c, d in rows), strict=True)
    )
    print(
        f"\nFrames per second, batches of {BATCH}. Median ratio of the session to the model alone: one by one {single:.3f}, in batches {batched:.3f}."
    )


if __name__ == "__main__":
    main()
