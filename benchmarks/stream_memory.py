"""Whether memory grows with the length of a video: analyses 10,000 frames and samples the memory of the process.

python benchmarks/stream_memory.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
import psutil
from dlclive_io import LabelledVideo, PoseTable, TimestampTable, VideoFile

from dlclive_core import Estimate, Session, Sink
from dlclive_core.demo.source import MouseSource
from dlclive_core.testing import NullModel

FRAMES, STEP = 10_000, 1000


class Memory(Sink):
    """Records the resident memory of the process every STEP frames."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, float]] = []

    def write(self, estimate: Estimate) -> None:
        if estimate.frame.index % STEP == STEP - 1:
            self.samples.append((estimate.frame.index + 1, psutil.Process().memory_info().rss / 1e6))


def make_video(path: Path) -> None:
    """FRAMES frames of a rendered mouse, 320 x 240, H.264."""
    source = MouseSource(seed=5, frames=200)
    pictures = [av.VideoFrame.from_ndarray(np.ascontiguousarray(source.render(index))) for index in range(200)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for index in range(FRAMES):
            picture = pictures[index % 200]
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def main() -> None:
    """Print a Markdown table and the slope."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_video(folder / "long.mp4")
        memory = Memory()
        sinks = [
            PoseTable(folder / "poses.h5"),
            PoseTable(folder / "poses.csv"),
            TimestampTable(folder / "times.csv"),
            LabelledVideo(folder / "labelled.mp4"),
            memory,
        ]
        report = Session(source=VideoFile(folder / "long.mp4"), model=NullModel(), sinks=sinks).run()
        after = psutil.Process().memory_info().rss / 1e6
    assert report.processed == FRAMES
    print("| frames | resident memory, MB |\n|---|---|")
    for frames, megabytes in memory.samples:
        print(f"| {frames} | {megabytes:.1f} |")
    print(f"| finished | {after:.1f} |")
    late = np.asarray(memory.samples[2:])
    slope = np.polyfit(late[:, 0], late[:, 1], 1)[0] * 10_000
    print(f"\nSlope from frame {3 * STEP} on: {slope:+.2f} MB per 10,000 frames.")


if __name__ == "__main__":
    main()
