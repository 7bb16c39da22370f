"""A live session for hours: `python soak_host.py FOLDER SECONDS LEAK`, where LEAK is a deliberate leak in MB per minute.

It prints a line of JSON every second, with memory, threads, descriptors and processor time, and at the end the percentiles of
the latency.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from dlclive_io import PoseTable, TimestampTable, VideoRecording
from dlclive_processors import KalmanPredictor, RegionTrigger

from dlclive_core import Frame, Pose, Processor, Session, Sink
from dlclive_core.testing import BlobModel
from tools.faults.live import Camera

FPS = 100


class Latencies(Sink):
    """Collects latencies in an array of fixed size."""

    def __init__(self, count: int) -> None:
        self.seconds = np.full(count, np.nan)
        self.count = 0

    def write(self, estimate) -> None:
        if self.count < len(self.seconds):
            self.seconds[self.count] = estimate.latency
            self.count += 1


class Leak(Processor):
    """Leaks some bytes per frame."""

    def __init__(self, megabytes_per_minute: float) -> None:
        self._bytes = int(megabytes_per_minute * 2**20 / 60 / FPS)
        self._kept: list[bytearray] = []

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if self._bytes:
            self._kept.append(bytearray(b"x" * self._bytes))
        return pose


def main() -> None:
    folder, seconds, leak = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    count = round(seconds * FPS)
    latencies = Latencies(count + FPS)
    latencies.seconds[:] = 0.0  # touches its memory at the start
    session = Session(
        source=Camera(frames=count, interval=1 / FPS),
        model=BlobModel(),
        processors=[
            KalmanPredictor(horizon=0.02),
            RegionTrigger(polygon=[[0, 0], [80, 0], [80, 60], [0, 60]], keypoint="k0"),
            Leak(leak),
        ],
        sinks=[
            PoseTable(folder / "poses.h5"),
            TimestampTable(folder / "times.csv"),
            VideoRecording(folder / "video.mkv"),
            latencies,
        ],
        queue_size=64,
    )
    ended = threading.Event()

    def sample_process() -> None:
        process = psutil.Process(os.getpid())
        began = time.perf_counter()
        while not ended.wait(1.0):
            sample = {
                "at": time.perf_counter() - began,
                "rss": process.memory_info().rss,
                "threads": process.num_threads(),
                "files": process.num_fds(),
                "work": time.process_time(),
            }
            print(json.dumps(sample), flush=True)

    watcher = threading.Thread(target=sample_process)
    watcher.start()
    try:
        report = session.run()
    finally:
        ended.set()
        watcher.join()
    seconds_per_pose = latencies.seconds[: latencies.count]
    part = max(1, min(len(seconds_per_pose) // 3, 600 * FPS))
    percentiles = {
        "p50": float(np.percentile(seconds_per_pose, 50)),
        "p999": float(np.percentile(seconds_per_pose, 99.9)),
        "first_p99": float(np.percentile(seconds_per_pose[:part], 99)),
        "last_p99": float(np.percentile(seconds_per_pose[-part:], 99)),
    }
    exact = report.frames_read == report.processed + report.dropped
    print(
        json.dumps(
            {
                "processed": report.processed,
                "dropped": report.dropped,
                "exact": exact,
                "complete": report.complete,
                **percentiles,
            }
        )
    )


if __name__ == "__main__":
    main()
