"""How near does `dlclive analyze` come to the bare runtime? Decoding, inference and writing overlap, so it should be close.

    python benchmarks/throughput.py MODEL VIDEO [FRAMES [RUNTIME [PRECISION]]]

Interleaved in one run, several rounds: the model alone on frames that are in memory already, one by one and in the batch that the
session chose; and sessions as `dlclive analyze` runs them, which decode the video and write both tables and the timestamps, one by
one and with batch="auto". A session's warm-up, its choice of the batch, and opening and finishing its files are part of its time, so
FRAMES should be a thousand or more.
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
from dlclive_core.session import Batch
from dlclive_core.system import system_info

ROUNDS = 5


def decoded(video: Path, frames: int) -> list[NDArray[np.uint8]]:
    """Frames in memory."""
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


def session(model: PoseModel, video: Path, frames: int, folder: Path, batch: Batch) -> tuple[float, int]:
    """Frames per second of the whole way, and the batch."""
    sinks = [
        PoseTable(folder / "t.h5", overwrite=True),
        PoseTable(folder / "t.csv", overwrite=True),
        TimestampTable(folder / "t_times.csv", overwrite=True),
    ]
    began = time.perf_counter()
    report = Session(source=VideoFile(video), model=model, sinks=sinks, max_frames=frames, batch=batch).run()
    assert report.processed == frames
    return frames / (time.perf_counter() - began), report.batch


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
        print("| round | alone, one by one | alone, in batches | session, one by one | session, batch=auto | batch |")
        print("|---|---|---|---|---|---|")
        chosen, rows = 1, []
        for number in range(ROUNDS):
            part = images[: len(images) // 2]  # half is enough for what has no beginning and no end
            alone, together = bare(model, part, 1), bare(model, part, chosen)
            single, _ = session(model, video, frames, Path(name), 1)
            whole, chosen = session(model, video, frames, Path(name), "auto")
            rows.append((alone, together, single, whole))
            print(
                f"| {number + 1} | {alone:.2f} | {together:.2f} | {single:.2f} | {whole:.2f} | {chosen} |", flush=True
            )
    single, whole, strict = (
        statistics.median(ratios)
        for ratios in zip(*((c / a, d / a, d / max(a, b)) for a, b, c, d in rows), strict=True)
    )
    print(
        f"\nFrames per second. Median ratios to the model alone, one by one: session {single:.3f}, with batch=auto {whole:.3f}"
    )
    print(f"({strict:.3f} of the model alone at its best, one by one or in batches).")


if __name__ == "__main__":
    main()
