"""Write the pixels of the frames to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DistillProgress
from dlclive_distill.footage.labelling import frame_batches
from dlclive_distill.footage.row_file import RowFile
from dlclive_distill.footage.videos import Video


def write_chosen(
    videos: Sequence[Video], frames: NDArray[np.int64], folder: Path, report: Callable[[DistillProgress], None]
) -> None:
    """Write `frames.npy`: the frames (n, 2), as numbers of the video and of the frame, in order. Continues an earlier call."""
    width, height = videos[0].size
    file = RowFile(folder / "frames.npy", (len(frames), height, width, 3), np.uint8)
    left = frames[file.rows :]
    file.begin(file.rows)
    try:
        for place, video in enumerate(videos):
            for batch in frame_batches(video, left[left[:, 0] == place][:, 1].tolist()):
                report(DistillProgress(stage=f"reading {video.path.name}", done=file.rows, total=len(frames)))
                file.append(np.stack([image for _, image in batch]))
        file.finish()
    finally:
        file.close()
